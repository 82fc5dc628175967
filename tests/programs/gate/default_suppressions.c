// Leaks 77 bytes in leaks_by_design, which its suppressions for LeakSanitizer name; another of them
// matches nothing.
#include <stdlib.h>

const char* __lsan_default_suppressions(void);
const char* __lsan_default_suppressions(void) {
    return "leak:leaks_by_design\nleak:never_called\n";
}

static void* volatile kept;

__attribute__((noinline, noclone)) void leaks_by_design(void);
void leaks_by_design(void) {
    kept = malloc(77);
    kept = NULL;
}

int main(void) {
    leaks_by_design();
    return 0;
}
