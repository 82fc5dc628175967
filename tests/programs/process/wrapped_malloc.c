/*
 * A program that defines malloc itself, as a layer with a header in front of each block over the
 * next definition: of the C library by its second name (argument 'libc'), or by dlsym (argument
 * 'next').
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "program.h"

extern void* __libc_malloc(size_t);
extern void* __libc_realloc(void*, size_t);
extern void __libc_free(void*);

static void* (*next_malloc)(size_t);
static void* (*next_realloc)(void*, size_t);
static void (*next_free)(void*);
enum { kHeader = 64 };

static void* behind(void* block) {
    return block ? (char*)block + kHeader : NULL;
}
static void* whole(void* block) {
    return block ? (char*)block - kHeader : NULL;
}

void* malloc(size_t size) {
    return behind(next_malloc ? next_malloc(size + kHeader) : __libc_malloc(size + kHeader));
}
void* calloc(size_t count, size_t size) {
    void* block = malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}
void* realloc(void* block, size_t size) {
    return behind(next_realloc ? next_realloc(whole(block), size + kHeader)
                               : __libc_realloc(whole(block), size + kHeader));
}
void free(void* block) {
    if (next_free)
        next_free(whole(block));
    else
        __libc_free(whole(block));
}

int main(int count, char** arguments) {
    if (count > 1 && strcmp(arguments[1], "next") == 0) {
        next_malloc = (void* (*)(size_t))dlsym(RTLD_NEXT, "malloc");
        next_realloc = (void* (*)(void*, size_t))dlsym(RTLD_NEXT, "realloc");
        next_free = (void (*)(void*))dlsym(RTLD_NEXT, "free");
        CHECK(next_malloc && next_realloc && next_free);
    }
    for (int i = 0; i < 100; i++) {
        free(kept(malloc(6007)));
        free(kept(realloc(kept(malloc(6011)), 6029)));
        free(kept(calloc(3, 2012)));
    }
    kept(malloc(6037));
    puts("done");
    return 0;
}
