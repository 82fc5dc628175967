/*
 * Calls that succeed leave errno alone, on a thread's first call as well as on its
 * hundred-thousandth (which needs a new chunk of trace).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>

#include "program.h"

enum { kMark = 4242, kRounds = 100000 };

#define KEEPS(call)                                            \
    do {                                                       \
        errno = kMark;                                         \
        call;                                                  \
        const int after = errno;                               \
        if (after != kMark) {                                  \
            dprintf(1, "%s: errno became %d\n", #call, after); \
            _exit(kCheckFailed);                               \
        }                                                      \
    } while (0)

static void* work(void* unused) {
    void* block;
    for (int i = 0; i < kRounds; i++) {
        KEEPS(block = kept(malloc(6301)));
        KEEPS(block = kept(realloc(block, 6302)));
        KEEPS(free(kept(block)));
        KEEPS(block = kept(calloc(1, 6303)));
        KEEPS(free(kept(block)));
    }
    KEEPS(posix_memalign(&block, 64, 6304));
    KEEPS(free(kept(block)));
    KEEPS(block = kept(malloc(10 << 20)));
    KEEPS(block = kept(realloc(block, 20 << 20)));
    KEEPS(free(kept(block))); /* an munmap */
    for (int i = 0; i < 100; i++) {
        KEEPS(block = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        KEEPS(block = mremap(block, 8192, 16384, MREMAP_MAYMOVE));
        KEEPS(munmap(block, 16384));
    }
    KEEPS((void)sbrk(0));
    return unused;
}

int main(void) {
    pthread_t thread;
    KEEPS(work(NULL));
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    puts("errno kept");
    return 0;
}
