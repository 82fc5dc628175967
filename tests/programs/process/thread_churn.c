/*
 * 4,000 threads that come and go, 16 at a time. Each allocates ten blocks of 1,001 bytes and
 * frees nine; whoever joins it frees the tenth, which the thread returned.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>

#include "program.h"

enum { kThreads = 4000, kTogether = 16, kBlocks = 10, kSize = 1001 };

static void* work(void* unused) {
    (void)unused;
    void* blocks[kBlocks];
    for (int i = 0; i < kBlocks; i++) CHECK((blocks[i] = kept(malloc(kSize))));
    for (int i = 1; i < kBlocks; i++) free(blocks[i]);
    return blocks[0];
}

int main(void) {
    int joined = 0;
    for (int round = 0; round < kThreads / kTogether; round++) {
        pthread_t threads[kTogether];
        for (int i = 0; i < kTogether; i++)
            CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
        for (int i = 0; i < kTogether; i++) {
            void* block;
            CHECK(pthread_join(threads[i], &block) == 0);
            free(kept(block));
            joined++;
        }
    }
    printf("%d threads joined\n", joined);
    return 0;
}
