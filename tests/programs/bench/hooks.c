// The cost of one call, in a loop around it and nothing else.
//
//     hooks hook CALLS       lastref_retain() of a buffer that was never created
//     hooks heap CALLS       malloc() and free() of 64 bytes in turn; CALLS of both together
//
// Prints one JSON object: nanoseconds of processor time per call, the loop's own taken off.
#include <lastref/lastref.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seconds.h"

static double empty_loop(unsigned long calls) {
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned long i = 0; i < calls; ++i) __asm__ volatile("");
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static double hook_loop(unsigned long calls) {
    static char buffer[64];
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned long i = 0; i < calls; ++i) {
        lastref_retain(buffer);
        __asm__ volatile("");
    }
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static double heap_loop(unsigned long calls) {
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned long i = 0; i < calls; i += 2) {
        void* block = malloc(64);
        __asm__ volatile("" : "+r"(block));
        free(block);
    }
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
}

int main(int argc, char** argv) {
    unsigned long calls = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    int hook = argc == 3 && strcmp(argv[1], "hook") == 0;
    if (calls < 2 || (!hook && strcmp(argv[1], "heap") != 0)) {
        fprintf(stderr, "usage: hooks hook|heap CALLS\n");
        return 2;
    }
    double loop = empty_loop(calls);
    double work = hook ? hook_loop(calls) : heap_loop(calls);
    printf("{\"nanoseconds\": %.4f}\n", (work - loop) * 1e9 / (double)calls);
    return 0;
}
