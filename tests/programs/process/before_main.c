/*
 * Allocates before main, in a constructor of the program and in one of a library, and after it, in
 * destructors: 7,601 and 7,602 bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "program.h"

static void* early;

__attribute__((constructor)) static void before(void) {
    early = kept(malloc(7601));
}
__attribute__((destructor)) static void after(void) {
    free(kept(early));
    churn(1, 7602);
}

int main(void) {
    puts(early ? "allocated before main" : "not allocated");
    return 0;
}
