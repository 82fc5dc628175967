/*
 * realloc at its edges: NULL, zero, growing, shrinking, moving, the same size, failing; and
 * reallocarray, also where the product overflows; calloc too; malloc(0), free(NULL).
 * Sizes from 12,001 on; 12,001 to 12,004 end as they began: nothing leaks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>

#include "program.h"

int main(void) {
    volatile size_t enormous = SIZE_MAX / 2;
    char* block = kept(realloc(NULL, 12001));
    CHECK(block);
    memset(block, 'a', 12001);
    block = kept(realloc(block, 24002));
    CHECK(block && block[12000] == 'a');
    block = kept(realloc(block, 24002));
    CHECK(block && block[12000] == 'a');
    block = kept(realloc(block, 12003));
    CHECK(block && block[12000] == 'a');
    /* It must move: the next block is in its way. */
    void* in_the_way = kept(malloc(12004));
    block = kept(realloc(block, 1200500));
    CHECK(block && block[12000] == 'a');
    free(in_the_way);

    errno = 0;
    char* old = kept(block); /* the compiler may not know that it survives */
    char* failed = kept(realloc(old, enormous + 1));
    printf("too large: %d, ENOMEM %d, old block kept %d\n", failed == NULL, errno == ENOMEM,
           block[12000] == 'a');
    errno = 0;
    failed = kept(reallocarray(old, enormous, 3));
    printf("product overflows: %d, ENOMEM %d, old block kept %d\n", failed == NULL, errno == ENOMEM,
           block[12000] == 'a');
    block = kept(reallocarray(block, 100, 121));
    CHECK(block && block[12000] == 'a');

    /* glibc: realloc(block, 0) frees and returns NULL. */
    printf("to zero: %s\n", kept(realloc(block, 0)) ? "a block" : "NULL");
    void* zero = kept(realloc(NULL, 0));
    printf("from NULL to zero: %s\n", zero ? "a block" : "NULL");
    free(zero);
    zero = kept(malloc(0));
    printf("malloc(0): %s\n", zero ? "a block" : "NULL");
    free(zero);
    free(kept(NULL));
    errno = 0;
    void* overflow = kept(calloc(enormous, 3));
    printf("calloc overflows: %d, ENOMEM %d\n", overflow == NULL, errno == ENOMEM);
    return 0;
}
