/*
 * 10,000 frames deep, a block of 6,601 bytes allocated in each on the way down, freed on the way
 * up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "program.h"

enum { kDepth = 10000 };

__attribute__((noinline)) static int descend(int depth) {
    void* block = kept(malloc(6601));
    const int below = depth == kDepth ? 0 : descend(depth + 1);
    free(kept(block));
    return below + 1;
}

int main(void) {
    printf("%d frames\n", descend(1));
    return 0;
}
