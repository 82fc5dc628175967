/*
 * Opens a plug-in with RTLD_DEEPBIND while other threads allocate. What the plug-in makes the
 * program frees, and the other way round: correct, since both use the C library's heap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "program.h"

static atomic_int running, ended;

static void* allocate(void* argument) {
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&ended)) churn(100, 7057);
    return argument;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, allocate, NULL) == 0);
    while (atomic_load(&running) < 2) sched_yield();
    void* plugin = dlopen("libdeep_plugin.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        return kCheckFailed;
    }
    void* (*constructed)(void) = (void* (*)(void))dlsym(plugin, "plugin_constructed");
    void* (*make)(size_t) = (void* (*)(size_t))dlsym(plugin, "plugin_make");
    void* (*grow)(void*, size_t) = (void* (*)(void*, size_t))dlsym(plugin, "plugin_grow");
    void (*drop)(void*) = (void (*)(void*))dlsym(plugin, "plugin_drop");
    char* (*copy)(const char*) = (char* (*)(const char*))dlsym(plugin, "plugin_copy");
    CHECK(constructed && make && grow && drop && copy);
    free(constructed());
    for (int i = 0; i < 1000; i++) {
        free(kept(malloc(7013)));
        free(kept(make(7013)));
        drop(kept(malloc(7019)));
        drop(kept(grow(kept(malloc(7027)), 7039)));
        free(kept(grow(kept(make(7027)), 7039)));
        free(kept(copy("a text of the program's")));
    }
    kept(make(7043));
    atomic_store(&ended, 1);
    for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    puts("done");
    return 0;
}
