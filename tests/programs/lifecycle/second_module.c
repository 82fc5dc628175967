/* Loaded by reloaded_module where first_module was. Its function lies elsewhere in the file, so that
   the names of one module on the addresses of the other are plainly wrong. */
#include <lastref/lastref.h>

__attribute__((visibility("default"))) int second_module_other(int number) {
    return number * 3 + 1;
}

__attribute__((visibility("default"))) void second_module_leak(void* buffer) {
    lastref_create(buffer, 16, "SecondBuffer");
}
