#include "symbols/elf_module.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lastref {
namespace {

const Dwfl_Callbacks kCallbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = nullptr,  // the standard one
};

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

std::unique_ptr<ElfModule> ElfModule::open(const std::string& path, const std::string& build_id) {
    if (!path.starts_with('/')) return nullptr;  // [vdso] and the like have no file
    if (auto module = open_file(path, build_id)) return module;
    if (build_id.size() < 3) return nullptr;
    return open_file(
        "/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + '/' + build_id.substr(2) + ".debug",
        build_id);
}

std::unique_ptr<ElfModule> ElfModule::open_file(const std::string& path,
                                                const std::string& build_id) {
    DwflHandle dwfl(dwfl_begin(&kCallbacks));
    int fd = dwfl ? open_regular_file(path) : -1;
    if (fd < 0) return nullptr;
    // At base 0 Dwfl's addresses are the file's own.
    Dwfl_Module* module = dwfl_report_elf(dwfl.get(), path.c_str(), path.c_str(), fd, 0, true);
    if (!module) {
        close(fd);
        return nullptr;
    }
    dwfl_report_end(dwfl.get(), nullptr, nullptr);
    if (build_id_of(module) != build_id) return nullptr;
    return std::unique_ptr<ElfModule>(new ElfModule(std::move(dwfl), module));
}

ElfModule::ElfModule(DwflHandle dwfl, Dwfl_Module* module)
    : dwfl_(std::move(dwfl)), module_(module) {
    Dwarf_Addr bias = 0;
    if (Dwarf* dwarf = dwfl_module_getdwarf(module_, &bias))
        lines_ = std::make_unique<SourceLines>(dwarf, bias);
    symbols_ = std::make_unique<SymbolTable>(module_);
}

std::vector<SourceFrame> ElfModule::frames(uint64_t elf_address) {
    const char* linker_name = symbols_->find(elf_address);
    if (lines_) {
        auto frames = lines_->frames(elf_address, linker_name, demangler_);
        if (!frames.empty()) return frames;
    }
    if (!linker_name) return {};
    return {SourceFrame{demangler_.demangle(linker_name), {}, 0}};
}

}  // namespace lastref
