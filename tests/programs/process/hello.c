/*
 * The least there is: allocates 100 blocks of 7,501 bytes, frees 99. Also linked statically.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "program.h"

int main(void) {
    for (int i = 0; i < 100; i++) {
        void* block = kept(malloc(7501));
        if (i) free(kept(block));
    }
    puts("hello");
    return 0;
}
