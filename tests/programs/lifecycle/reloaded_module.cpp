// Row 35 of doc/lifecycle-bugs.md, dlclose: another module at the address of one that is gone.
//
//   reloaded_module FIRST_MODULE SECOND_MODULE
//
// Truth: round by round FIRST_MODULE is loaded, leaks one buffer 'FirstBuffer' made in
// first_module_leak, and is unloaded; then SECOND_MODULE is loaded. As soon as the two lay at the
// same address, the second leaks one 'SecondBuffer' made in second_module_leak, and the program
// ends. Prints 'rounds N', where N buffers of the first module leaked; status 1 if the addresses
// never met in 64 rounds.
#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>

namespace {

struct Module {
    void* handle;
    void (*leak)(void* buffer);
    ElfW(Addr) address;
};

Module load(const char* path, const char* function) {
    Module module{};
    module.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module.handle) std::exit((std::fprintf(stderr, "%s\n", dlerror()), 2));
    module.leak = reinterpret_cast<void (*)(void*)>(dlsym(module.handle, function));
    link_map* map = nullptr;
    if (!module.leak || dlinfo(module.handle, RTLD_DI_LINKMAP, &map) != 0) std::exit(2);
    module.address = map->l_addr;
    return module;
}

char buffers[65][16];

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    for (int round = 0; round < 64; ++round) {
        const Module first = load(argv[1], "first_module_leak");
        first.leak(buffers[round]);
        dlclose(first.handle);

        const Module second = load(argv[2], "second_module_leak");
        const bool met = second.address == first.address;
        if (met) second.leak(buffers[64]);
        dlclose(second.handle);
        if (met) {
            std::printf("rounds %d\n", round + 1);
            return 0;
        }
    }
    return 1;
}
