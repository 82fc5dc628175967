/* Calls each function of the public header once, in a life that ends well. Returns whether the shim
   is there; the same code is compiled as C11 and as C++. */
#include <errno.h>

#include <lastref/lastref.h>

static char first_home[32], second_home[32];

static int every_hook(void) {
    const int active = lastref_active();
    errno = 77;
    lastref_mark("steady");
    lastref_create(first_home, sizeof first_home, "HeaderBuffer");
    lastref_retain(first_home);
    lastref_touch(first_home, "seen");
    lastref_count(first_home, 2);
    lastref_move(first_home, second_home);
    lastref_release(second_home);
    lastref_destroy(second_home);
    lastref_create(0, 0, 0);
    lastref_touch(first_home, 0);
    return errno == 77 ? active : -1;
}
