/*
 * library_reload [ROUNDS]: loads and unloads two libraries in turn, 100 times or as asked. The
 * second comes to lie where the first was; the 3,331 bytes allocated by alpha_allocate, and the
 * 3,332 of beta_allocate, then have stacks with the same addresses that mean different functions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>

#include "program.h"

/* Loads, allocates, frees, unloads. The library's load address, to compare only. */
static unsigned long visit(const char* library, const char* function) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) dprintf(2, "%s\n", dlerror());
    CHECK(handle);
    void* (*allocate)(void) = (void* (*)(void))dlsym(handle, function);
    CHECK(allocate);
    free(kept(allocate()));
    struct link_map* map;
    CHECK(dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0);
    const unsigned long address = map->l_addr;
    CHECK(dlclose(handle) == 0);
    CHECK(dlopen(library, RTLD_NOW | RTLD_NOLOAD) == NULL); /* gone indeed */
    return address;
}

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 100;
    int reused = 0;
    for (int i = 0; i < rounds; i++) {
        const unsigned long alpha = visit("libplugin_alpha.so", "alpha_allocate");
        const unsigned long beta = visit("libplugin_beta.so", "beta_allocate");
        reused += alpha == beta;
    }
    printf("%d rounds, address %s\n", rounds, reused ? "reused" : "never reused");
    return 0;
}
