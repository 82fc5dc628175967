/* Found by the $ORIGIN of the program; finds libinnermost.so, in its own folder, by its own. */
#include <dlfcn.h>
#include <stdio.h>

__attribute__((visibility("default"))) int inner(void) {
    void* handle = dlopen("libinnermost.so", RTLD_NOW);
    if (!handle) {
        printf("innermost: %s\n", dlerror());
        return 1;
    }
    int (*innermost)(void) = (int (*)(void))dlsym(handle, "innermost");
    return 1 + innermost();
}
