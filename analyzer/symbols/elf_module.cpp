#include "symbols/elf_module.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/debuginfod.h"

namespace lastref {
namespace {

// elfutils' search path: the folders before the standard one; empty: that alone.
std::string debug_path(const SymbolPlaces& places) {
    if (places.debug_dirs.empty() && places.sysroot.empty()) return {};
    std::string path;
    for (const std::string& folder : places.debug_dirs) path += folder + ':';
    if (!places.sysroot.empty()) path += places.sysroot + "/usr/lib/debug:";
    return path + ".debug:/usr/lib/debug";
}

// A trace may name anything: devices and pipes must not be opened for good.
int open_regular_file(const std::string& path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -1;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
    close(fd);
    return -1;
}

std::string build_id_of(Dwfl_Module* module) {
    const unsigned char* bits = nullptr;
    GElf_Addr address = 0;
    int size = dwfl_module_build_id(module, &bits, &address);
    std::string text;
    for (int i = 0; i < size; ++i) {
        text += "0123456789abcdef"[bits[i] >> 4];
        text += "0123456789abcdef"[bits[i] & 15];
    }
    return text;
}

}  // namespace

std::unique_ptr<ElfModule> ElfModule::open(const std::string& path, const std::string& build_id,
                                           const SymbolPlaces& places) {
    if (!path.starts_with('/')) return nullptr;  // [vdso] and the like have no file
    if (!places.sysroot.empty()) {
        if (auto module = open_file(places.sysroot + path, build_id, places)) return module;
    }
    if (auto module = open_file(path, build_id, places)) return module;
    if (build_id.size() < 3) return nullptr;
    std::vector<std::string> folders = places.debug_dirs;
    if (!places.sysroot.empty()) folders.push_back(places.sysroot + "/usr/lib/debug");
    folders.push_back("/usr/lib/debug");
    const std::string name = build_id.substr(0, 2) + '/' + build_id.substr(2) + ".debug";
    for (const std::string& folder : folders) {
        if (auto module = open_file(folder + "/.build-id/" + name, build_id, places)) return module;
    }
    const std::string fetched = fetch_debug_file(build_id);
    return fetched.empty() ? nullptr : open_file(fetched, build_id, places);
}

std::unique_ptr<ElfModule> ElfModule::open_file(const std::string& path,
                                                const std::string& build_id,
                                                const SymbolPlaces& places) {
    std::unique_ptr<ElfModule> opened(new ElfModule(places));
    Dwfl* const dwfl = opened->dwfl_.get();
    const int fd = dwfl ? open_regular_file(path) : -1;
    if (fd < 0) return nullptr;
    // At base 0 Dwfl's addresses are the file's own.
    Dwfl_Module* module = dwfl_report_elf(dwfl, path.c_str(), path.c_str(), fd, 0, true);
    if (!module) {
        close(fd);
        return nullptr;
    }
    dwfl_report_end(dwfl, nullptr, nullptr);
    if (build_id_of(module) != build_id) return nullptr;
    opened->module_ = module;
    Dwarf_Addr bias = 0;
    if (Dwarf* dwarf = dwfl_module_getdwarf(module, &bias))
        opened->lines_ = std::make_unique<SourceLines>(dwarf, bias);
    opened->symbols_ = std::make_unique<SymbolTable>(module);
    return opened;
}

ElfModule::ElfModule(const SymbolPlaces& places)
    : debug_path_(debug_path(places)),
      debug_path_text_(debug_path_.empty() ? nullptr : debug_path_.data()),
      callbacks_{.find_elf = dwfl_build_id_find_elf,
                 .find_debuginfo = dwfl_standard_find_debuginfo,
                 .section_address = dwfl_offline_section_address,
                 .debuginfo_path = &debug_path_text_},
      dwfl_(dwfl_begin(&callbacks_)) {}

std::vector<SourceFrame> ElfModule::frames(uint64_t elf_address) {
    const std::lock_guard lock(mutex_);
    const char* linker_name = symbols_->find(elf_address);
    if (lines_) {
        auto frames = lines_->frames(elf_address, linker_name, demangler_);
        if (!frames.empty()) return frames;
    }
    if (!linker_name) return {};
    return {SourceFrame{demangler_.demangle(linker_name), {}, 0}};
}

}  // namespace lastref
