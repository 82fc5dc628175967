/*
 * Four threads load, use and unload two libraries, each in its own order, while two more allocate
 * from deep stacks of the program: wherever one library was the other may lie a moment later, and
 * somebody is always in the middle of a stack walk when one goes. 3,331 bytes are allocated by
 * alpha_allocate, 3,332 by beta_allocate.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "program.h"

enum { kRounds = 80, kLoaders = 4, kWalkers = 2, kDepth = 24 };

static atomic_int loading = kLoaders;

static void visit(const char* library, const char* function) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(handle);
    void* (*allocate)(void) = (void* (*)(void))dlsym(handle, function);
    CHECK(allocate);
    free(kept(allocate()));
    CHECK(dlclose(handle) == 0);
}

static void* load(void* argument) {
    const int number = (int)(long)argument;
    for (int i = 0; i < kRounds; i++) {
        if ((i >> number) & 1)
            visit("libplugin_alpha.so", "alpha_allocate");
        else
            visit("libplugin_beta.so", "beta_allocate");
    }
    atomic_fetch_sub(&loading, 1);
    return NULL;
}

__attribute__((noinline)) static void descend(int depth) {
    char* volatile block = (char*)malloc((size_t)depth + 1);
    CHECK(block);
    if (depth != 0) descend(depth - 1);
    free(block);
}

static void* walk(void* argument) {
    const struct timespec pause = {0, 200000};
    do {
        descend(kDepth);
        nanosleep(&pause, NULL); /* a few thousand walks are enough */
    } while (atomic_load(&loading) != 0);
    return argument;
}

int main(void) {
    pthread_t threads[kLoaders + kWalkers];
    for (long i = 0; i < kLoaders + kWalkers; i++) {
        CHECK(pthread_create(&threads[i], NULL, i < kLoaders ? load : walk, (void*)i) == 0);
    }
    for (int i = 0; i < kLoaders + kWalkers; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    printf("%d libraries loaded and unloaded\n", kLoaders * kRounds);
    return 0;
}
