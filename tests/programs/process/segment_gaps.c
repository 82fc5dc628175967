/*
 * Linked for pages of 16 KiB (node and Chromium have such gaps too): on a machine with pages of 4
 * KiB nothing is mapped between the program's segments. Its stacks have to reach main all the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "program.h"

__attribute__((noinline)) void* inner(int round) {
    void* block = kept(malloc(4211));
    CHECK(block && round >= 0);
    return block;
}

__attribute__((noinline)) void outer(int round) {
    void* block = inner(round);
    free(kept(block));
}

int main(void) {
    for (int i = 0; i < 10; i++) outer(i);
    puts("10 rounds");
    return 0;
}
