/*
 * Plain C, no libstdc++: loads a plug-in in C++ with RTLD_LOCAL, so that an interposer of operator
 * new that looks for the next one in the global scope finds none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dlfcn.h>

#include "program.h"

int main(void) {
    for (int round = 0; round < 3; round++) {
        void* handle = dlopen("libcxx_plugin.so", RTLD_NOW | RTLD_LOCAL);
        if (!handle) dprintf(2, "%s\n", dlerror());
        CHECK(handle);
        int (*work)(void) = (int (*)(void))dlsym(handle, "plugin_work");
        CHECK(work);
        printf("plug-in says %d\n", work());
        CHECK(dlclose(handle) == 0);
    }
    return 0;
}
