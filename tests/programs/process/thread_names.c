/*
 * Names its threads, the first one too, and allocates a block of its own size in each: 2,000 bytes
 * in 'main-renamed', 2,001 in 'worker-1' and so on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/prctl.h>

#include "program.h"

enum { kThreads = 4, kSize = 2000 };

static void* work(void* argument) {
    const int self = (int)(long)argument;
    char name[16], read_back[16];
    snprintf(name, sizeof name, "worker-%d", self);
    CHECK(pthread_setname_np(pthread_self(), name) == 0);
    free(kept(malloc(kSize + self)));
    CHECK(pthread_getname_np(pthread_self(), read_back, sizeof read_back) == 0);
    CHECK(strcmp(name, read_back) == 0);
    return NULL;
}

int main(void) {
    CHECK(prctl(PR_SET_NAME, "main-renamed") == 0);
    free(kept(malloc(kSize)));
    for (long i = 1; i <= kThreads; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, (void*)i) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    puts("named");
    return 0;
}
