/* A C program that loads the C++ library while it runs, and changes its environment.
 *
 * Truth: no leak. What stays at the end is kept by the runtimes: the C++ library's emergency pool,
 * made by its constructor within dlopen, and what setenv and putenv made for environ, old values
 * among it. Status 0. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

int main(void) {
    static char gamma[] = "GAMMA=1";
    if (!dlopen("libstdc++.so.6", RTLD_NOW)) return 2;
    setenv("ALPHA", "1", 1);
    setenv("BETA", "22", 1);
    setenv("ALPHA", "333", 1);
    putenv(gamma);
    return unsetenv("BETA");
}
