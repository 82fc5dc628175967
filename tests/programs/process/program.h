/*
 * Shared by the programs of this folder: a check that ends the program and names the place, and
 * a sink that keeps the compiler from dropping an allocation nobody reads.
 *
 * Every program prints the same standard output each time it runs, with and without lastref.
 * Output that differs from run to run (addresses, how often a timer fired) goes to standard error,
 * if a test needs it at all. Allocations that a test counts have sizes that nothing else uses.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LASTREF_TESTS_PROGRAM_H
#define LASTREF_TESTS_PROGRAM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kCheckFailed = 99 };

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            dprintf(2, "%s:%d: %s is false (%s)\n", __FILE__, __LINE__, #condition, \
                    strerror(errno));                                               \
            _exit(kCheckFailed);                                                    \
        }                                                                           \
    } while (0)

/* The same pointer, in a way that the compiler can't see through. */
static inline void* kept(void* block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

/* `pairs` times malloc(size) and free. */
static inline void churn(long pairs, size_t size) {
    for (long i = 0; i < pairs; i++) {
        char* block = (char*)kept(malloc(size));
        CHECK(block);
        block[0] = 1;
        free(kept(block));
    }
}

#endif
