/*
 * Moves the program break with sbrk and brk, with malloc in between.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "program.h"

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0); /* stdio must not allocate in the middle */
    char* before = sbrk(0);
    char* mine = sbrk(64 << 10);
    printf("grew from the break: %d\n", mine == before);
    memset(mine, 1, 64 << 10);
    printf("by 64 KiB: %d\n", (char*)sbrk(0) - before == 64 << 10);
    printf("back: %d\n", brk(before) == 0 && sbrk(0) == before);
    errno = 0;
    printf("too far: %d", sbrk((long)1 << 60) == (void*)-1);
    printf(" ENOMEM %d\n", errno == ENOMEM);
    churn(100, 7201);
    return 0;
}
