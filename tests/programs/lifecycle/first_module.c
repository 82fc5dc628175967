/* Loaded by reloaded_module, at the address that second_module gets later. */
#include <lastref/lastref.h>

__attribute__((visibility("default"))) void first_module_leak(void* buffer) {
    lastref_create(buffer, 16, "FirstBuffer");
}
