/*
 * 64 threads alive at once. In each of 200 rounds every thread allocates eight blocks of 1,003
 * bytes, hands them to its neighbour, and frees those that it was handed: every block is freed by
 * another thread than the one that allocated it, while the others allocate.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>

#include "program.h"

enum { kThreads = 64, kRounds = 200, kBlocks = 8, kSize = 1003 };

static pthread_barrier_t barrier;
static void* handed[2][kThreads][kBlocks];
static long freed[kThreads];

static void* work(void* argument) {
    const int self = (int)(long)argument;
    const int neighbour = (self + 1) % kThreads;
    for (int round = 0; round < kRounds; round++) {
        for (int i = 0; i < kBlocks; i++)
            CHECK((handed[round % 2][neighbour][i] = kept(malloc(kSize))));
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < kBlocks; i++) {
            free(kept(handed[round % 2][self][i]));
            freed[self]++;
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[kThreads];
    CHECK(pthread_barrier_init(&barrier, NULL, kThreads) == 0);
    for (long i = 0; i < kThreads; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void*)i) == 0);
    long sum = 0;
    for (int i = 0; i < kThreads; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        sum += freed[i];
    }
    printf("%ld blocks freed by a neighbour\n", sum);
    return 0;
}
