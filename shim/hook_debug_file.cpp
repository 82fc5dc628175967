#include "hook_debug_file.h"

#include <string.h>

namespace lastref::hooks {
namespace {

constexpr const char* kRoot = "/usr/lib/debug";

bool by_build_id(const ElfImage& elf, Text& to) {
    size_t size = 0;
    const uint8_t* const id = elf.build_id(size);
    if (!id || size < 2) return false;
    to.add(kRoot).add("/.build-id/");
    for (size_t i = 0; i < size; i++) {
        to.add("0123456789abcdef"[id[i] >> 4]).add("0123456789abcdef"[id[i] & 15]);
        if (i == 0) to.add('/');
    }
    to.add(".debug");
    return !to.cut();
}

}  // namespace

bool debug_file_path(const ElfImage& elf, const char* path, unsigned number, Text& to) {
    if (number == 0) return by_build_id(elf, to);
    const char* const name = elf.debug_link();
    const char* const slash = strrchr(path, '/');
    if (*name == 0 || strchr(name, '/') || !slash) return false;
    if (number == 3) to.add(kRoot);
    to.add(path, static_cast<size_t>(slash - path) + 1);
    if (number == 2) to.add(".debug/");
    to.add(name);
    return !to.cut();
}

}  // namespace lastref::hooks
