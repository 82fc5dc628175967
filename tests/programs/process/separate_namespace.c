/*
 * Loads plugin_alpha with dlmopen: a namespace with a C library of its own, and so a heap of its
 * own, which nothing that was preloaded sees.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "program.h"

int main(void) {
    void* handle = dlmopen(LM_ID_NEWLM, "libplugin_alpha.so", RTLD_NOW);
    if (!handle) dprintf(2, "%s\n", dlerror());
    CHECK(handle);
    void* (*allocate)(void) = (void* (*)(void))dlsym(handle, "alpha_allocate");
    CHECK(allocate && allocate());
    churn(3, 3333);
    CHECK(dlclose(handle) == 0);
    puts("allocated in two namespaces");
    return 0;
}
