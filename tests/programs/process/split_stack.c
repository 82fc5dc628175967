/*
 * Compiled with -fsplit-stack: 400 calls deep over many stack segments, with
 * an allocation of 6,601 bytes on the way in and one of 6,602 on the way out. Twice 2,000 of each:
 * in the main thread, then in another.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>

#include "program.h"

enum { kDepth = 400, kRounds = 5 };

__attribute__((noinline)) static int descend(int depth) {
    volatile char large[3000];
    large[depth] = 1;
    churn(1, 6601);
    const int below = depth > 1 ? descend(depth - 1) : 0;
    churn(1, 6602);
    return below + large[depth];
}

static void* run(void* sum) {
    for (int i = 0; i < kRounds; i++) *(int*)sum += descend(kDepth);
    return NULL;
}

int main(void) {
    int sum = 0;
    run(&sum);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, &sum) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    printf("%d calls\n", sum);
    return 0;
}
