/* Found by the $ORIGIN of libinner.so alone. */
#include <stdlib.h>

__attribute__((visibility("default"))) int innermost(void) {
    void* block = malloc(3341);
    __asm__ volatile("" : "+r"(block));
    free(block);
    return 2;
}
