/*
 * progress FILE THREADS: every thread allocates 97 bytes and frees them, for ever, and after each
 * pair raises its counter in FILE, an array of 64-bit numbers mapped shared: when the process is
 * killed, the counters say what was done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "program.h"

static _Atomic(uint64_t)* counters;

static void* work(void* argument) {
    _Atomic(uint64_t)* counter = &counters[(long)argument];
    for (uint64_t done = 1;; done++) {
        char* block = kept(malloc(97));
        block[0] = 1;
        free(kept(block));
        atomic_store(counter, done);
    }
    return NULL;
}

int main(int argc, char** argv) {
    CHECK(argc == 3);
    const int file = open(argv[1], O_RDWR);
    CHECK(file >= 0);
    counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(counters != MAP_FAILED);
    close(file);
    const long threads = atol(argv[2]);
    for (long i = 1; i < threads; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, (void*)i) == 0);
    }
    work(0);
    return 0;
}
