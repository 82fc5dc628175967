/* One of two libraries of the same size, loaded in turn at the same address (library_reload). */
#include <stdlib.h>

__attribute__((visibility("default"))) void* beta_allocate(void) {
    void* block = malloc(3332);
    __asm__ volatile("" : "+r"(block));
    return block;
}
