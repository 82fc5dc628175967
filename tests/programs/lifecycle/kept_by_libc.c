/* Truth: what getpwuid and getgrgid allocate, the C library keeps for its next call: no
 * leak. The 5 names that strdup made in keep_names() leak, though libc made them, and so do the 200
 * bytes of lose(). */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define FRAME __attribute__((noinline, noclone))

static char* volatile lost;

FRAME static void keep_names(void) {
    for (int i = 0; i < 5; ++i) lost = strdup("a name of somebody");
    lost = NULL;
}

FRAME static void lose(void) {
    lost = malloc(200);
    lost = NULL;
}

int main(void) {
    if (!getpwuid(0) || !getgrgid(0)) return 2;
    keep_names();
    lose();
    return 0;
}
