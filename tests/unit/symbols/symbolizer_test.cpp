// The symbolizer on this very program: its own functions are what is looked up.
#include "analyze/symbolizer.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "trace_format.h"

using lastref::ElfFiles;
using lastref::ElfModule;
using lastref::Frame;
using lastref::Module;
using lastref::Symbolizer;
using lastref::testing::TemporaryFolder;
using lastref::trace::kExactPc;

namespace {

namespace fs = std::filesystem;

std::string build_id_in(const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = info.dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        auto* note = reinterpret_cast<const unsigned char*>(info.dlpi_addr + segment.p_vaddr);
        auto* end = note + segment.p_memsz;
        while (note + sizeof(ElfW(Nhdr)) <= end) {
            auto* header = reinterpret_cast<const ElfW(Nhdr)*>(note);
            const unsigned char* content = note + sizeof *header + (header->n_namesz + 3) / 4 * 4;
            if (header->n_type == NT_GNU_BUILD_ID) {
                std::string text;
                for (unsigned i = 0; i < header->n_descsz; ++i) {
                    char digits[3];
                    snprintf(digits, sizeof digits, "%02x", content[i]);
                    text += digits;
                }
                return text;
            }
            note = content + (header->n_descsz + 3) / 4 * 4;
        }
    }
    return {};
}

// This program as a trace would record it.
Module own_module() {
    Module module;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* data) {
            auto& module = *static_cast<Module*>(data);
            module.path = fs::read_symlink("/proc/self/exe");
            module.bias = info->dlpi_addr;
            module.begin = UINT64_MAX;
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const ElfW(Phdr)& segment = info->dlpi_phdr[i];
                if (segment.p_type != PT_LOAD) continue;
                module.begin = std::min<uint64_t>(module.begin, info->dlpi_addr + segment.p_vaddr);
                module.end = std::max<uint64_t>(
                    module.end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
            }
            module.build_id = build_id_in(*info);
            return 1;  // the program itself comes first
        },
        &module);
    return module;
}

uint64_t here = 0, return_address = 0;

#define RECORD_PC() asm volatile("leaq 0(%%rip), %0" : "=r"(here))

constexpr uint32_t kInnermostLine = __LINE__ + 2;
[[gnu::always_inline]] inline void innermost() {
    RECORD_PC();
}

constexpr uint32_t kMiddleLine = __LINE__ + 2;
[[gnu::always_inline]] inline void middle() {
    innermost();
}

constexpr uint32_t kRecordLine = __LINE__ + 2;
[[gnu::noinline]] void record_here() {
    middle();
    return_address = reinterpret_cast<uint64_t>(__builtin_return_address(0));
}

constexpr uint32_t kCallLine = __LINE__ + 2;
[[gnu::noinline]] void call_record_here() {
    record_here();
    asm volatile("" ::: "memory");
}

void check_inlined(const std::vector<Frame>& frames, const Module& module) {
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].function.find("innermost") != std::string::npos);
    CHECK(frames[0].line == kInnermostLine);
    CHECK(frames[0].inlined);
    CHECK(frames[1].function.find("middle") != std::string::npos);
    CHECK(frames[1].line == kMiddleLine);
    CHECK(frames[1].inlined);
    CHECK(frames[2].function.find("record_here") != std::string::npos);
    CHECK(frames[2].line == kRecordLine);
    CHECK_FALSE(frames[2].inlined);
    for (const Frame& frame : frames) {
        CHECK(fs::path(frame.file).filename() == "symbolizer_test.cpp");
        CHECK(frame.module == module.path);
        CHECK(frame.build_id == module.build_id);
        CHECK(frame.offset == here - module.bias);
    }
}

}  // namespace

TEST_CASE("inlined calls become frames of their own, innermost first") {
    call_record_here();
    std::vector<Module> modules = {own_module()};
    Symbolizer symbolizer(modules, 0);
    check_inlined(symbolizer.frames(here | kExactPc, 0), modules[0]);
    // The second time comes from the cache.
    check_inlined(symbolizer.frames(here | kExactPc, 0), modules[0]);
}

TEST_CASE("traces share their files; those not asked for any more are closed when there are many") {
    call_record_here();
    std::vector<Module> modules = {own_module()};
    auto files = std::make_shared<ElfFiles>();
    auto file = files->find(modules[0].path, modules[0].build_id);
    REQUIRE(file);
    CHECK(files->find(modules[0].path, modules[0].build_id) == file);
    check_inlined(Symbolizer(modules, 0, files).frames(here | kExactPc, 0), modules[0]);

    const std::weak_ptr<ElfModule> watched = file;
    for (size_t i = 0; i < ElfFiles::kKept; ++i) files->find("/no/such/file", std::to_string(i));
    CHECK(file->frames(here - modules[0].bias).size() == 3);
    file.reset();
    CHECK(watched.expired());
    check_inlined(Symbolizer(modules, 0, files).frames(here | kExactPc, 0), modules[0]);
}

TEST_CASE("a return address is looked up as the call before it") {
    call_record_here();
    std::vector<Module> modules = {own_module()};
    Symbolizer symbolizer(modules, 0);
    const Frame& frame = symbolizer.frames(return_address, 0).front();
    CHECK(frame.function.find("call_record_here") != std::string::npos);
    CHECK(frame.line == kCallLine);
    CHECK(frame.offset == return_address - 1 - modules[0].bias);
}

TEST_CASE("a file with another build-id is not used") {
    call_record_here();
    std::vector<Module> modules = {own_module()};
    for (const char* build_id : {"", "00112233445566778899aabbccddeeff00112233"}) {
        modules[0].build_id = build_id;
        Symbolizer symbolizer(modules, 0);
        const std::vector<Frame>& frames = symbolizer.frames(here | kExactPc, 0);
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].function == "");
        CHECK(frames[0].file == "");
        CHECK(frames[0].module == modules[0].path);
        CHECK(frames[0].offset == here - modules[0].bias);
    }
}

TEST_CASE("debug information is found through a debug link") {
    if (system("objcopy --version >/dev/null 2>&1") != 0) return;
    TemporaryFolder folder;
    call_record_here();
    std::vector<Module> modules = {own_module()};
    std::string stripped = folder.path / "stripped", debug = folder.path / "stripped.debug";
    std::string commands = "cd " + folder.path.string() + " && objcopy --only-keep-debug " +
                           modules[0].path + " stripped.debug && objcopy --strip-all " +
                           "--add-gnu-debuglink=stripped.debug " + modules[0].path + " stripped";
    REQUIRE(system(commands.c_str()) == 0);
    modules[0].path = stripped;
    check_inlined(Symbolizer(modules, 0).frames(here | kExactPc, 0), modules[0]);
    // Without the debug file the place is still known.
    fs::remove(debug);
    Frame bare = Symbolizer(modules, 0).frames(here | kExactPc, 0).front();
    CHECK(bare.file == "");
    CHECK(bare.offset == here - modules[0].bias);
}

TEST_CASE("the epoch selects the one of two modules that owned an address") {
    std::vector<Module> modules = {
        {.path = "/first",
         .build_id = "01",
         .begin = 0x1000,
         .end = 0x2000,
         .bias = 0x1000,
         .first_epoch = 0,
         .end_epoch = 1},
        {.path = "/second",
         .build_id = "02",
         .begin = 0x1000,
         .end = 0x3000,
         .bias = 0x800,
         .first_epoch = 1,
         .end_epoch = 5},
        {.path = "/third",
         .build_id = "03",
         .begin = 0x1000,
         .end = 0x2000,
         .bias = 0,
         .first_epoch = 8},
    };
    Symbolizer symbolizer(modules, 0);
    auto module_at = [&](uint64_t pc, uint32_t epoch) {
        return symbolizer.frames(pc | kExactPc, epoch).front().module;
    };
    CHECK(module_at(0x1500, 0) == "/first");
    CHECK(symbolizer.frames(0x1500 | kExactPc, 0).front().offset == 0x500);
    CHECK(module_at(0x1500, 1) == "/second");
    CHECK(module_at(0x1500, 4) == "/second");
    CHECK(module_at(0x1500, 9) == "/third");
    CHECK(module_at(0x1500, 5) == "/third");  // none was mapped: the one noted next
    CHECK(module_at(0x1500, 7) == "/third");
    CHECK(module_at(0x2500, 5) == "");  // gone is gone
    CHECK(module_at(0x2500, 0) == "/second");
    CHECK(module_at(0x4000, 0) == "");
}

TEST_CASE("code in no module is named by the perf map") {
    std::ofstream("/tmp/perf-1900000003.map") << "5000 100 Interpreter\n";
    std::vector<Module> modules;
    Symbolizer symbolizer(modules, 1900000003);
    CHECK(symbolizer.frames(0x5010, 0).front().function == "Interpreter");
    CHECK(symbolizer.frames(0x6010 | kExactPc, 0).front().function == "");
    CHECK(symbolizer.frames(0x6010 | kExactPc, 0).front().offset == 0x6010);
    CHECK(symbolizer.frames(0, 0).size() == 1);
    unlink("/tmp/perf-1900000003.map");
}

TEST_CASE("paths that are not files to read are left alone") {
    TemporaryFolder folder;
    std::ofstream(folder.path / "text") << "not an ELF file";
    for (std::string path : {std::string("[vdso]"), std::string("/dev/zero"), std::string("/tmp"),
                             (folder.path / "text").string(), std::string("relative")}) {
        std::vector<Module> modules = {{.path = path, .build_id = "", .begin = 0, .end = 100}};
        Symbolizer symbolizer(modules, 0);
        const Frame& frame = symbolizer.frames(50 | kExactPc, 0).front();
        CHECK(frame.function == "");
        CHECK(frame.module == path);
    }
}

TEST_CASE("lastref's own code is known") {
    std::vector<Module> modules = {
        {.path = "/usr/lib/liblastref.so", .build_id = "", .begin = 0x1000, .end = 0x2000},
        {.path = "/usr/lib/libother.so", .build_id = "", .begin = 0x2000, .end = 0x3000}};
    Symbolizer symbolizer(modules, 0);
    CHECK(symbolizer.is_own(0x1001, 0));
    CHECK(symbolizer.is_own(0x2000, 0));  // a return address at the module's end
    CHECK_FALSE(symbolizer.is_own(0x2001, 0));
    CHECK_FALSE(symbolizer.is_own(0x9000, 0));
}
