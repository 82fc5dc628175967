/*
 * Loads a library by its bare name. The loader finds it by DT_RUNPATH, which belongs to the module
 * that calls dlopen: an interposer that calls dlopen itself, from its own module, breaks it. That
 * library does the same again from its own folder. Also: dlsym(RTLD_NEXT) and dladdr of a caller.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "program.h"

int main(void) {
    void* handle = dlopen("libinner.so", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        printf("inner: %s\n", dlerror());
        return 1;
    }
    int (*inner)(void) = (int (*)(void))dlsym(handle, "inner");
    printf("%d libraries found\n", inner());
    CHECK(dlsym(RTLD_DEFAULT, "innermost") == NULL); /* RTLD_LOCAL holds */
    CHECK(dlopen("libnot-there.so", RTLD_NOW) == NULL);
    const char* error = dlerror();
    printf("%s\n", error ? error : "no error");
    CHECK(dlsym(RTLD_NEXT, "malloc") != NULL);
    return 0;
}
