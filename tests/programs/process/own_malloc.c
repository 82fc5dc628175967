/*
 * A program that defines malloc and its family itself: a bump allocator in static memory. The C
 * library and every other library use it, not the shim, and the two must not be mixed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdatomic.h>
#include <stdint.h>

#include "program.h"

static _Alignas(4096) char arena[64 << 20];
static atomic_size_t used;
static atomic_long allocations;

static int is_mine(const void* block) {
    return (const char*)block >= arena && (const char*)block < arena + sizeof arena;
}

static void* take(size_t alignment, size_t size) {
    const size_t at = atomic_fetch_add(&used, ((size + alignment + 31) & ~(size_t)15));
    if (at + size + alignment + 32 > sizeof arena) return NULL;
    const uintptr_t block = ((uintptr_t)arena + at + 16 + alignment - 1) & ~(alignment - 1);
    memcpy((char*)block - sizeof size, &size, sizeof size);
    atomic_fetch_add(&allocations, 1);
    return (void*)block;
}

void* malloc(size_t size) {
    return take(16, size);
}
void* calloc(size_t count, size_t size) {
    return take(16, count * size);
}
void free(void* block) {
    if (block && !is_mine(block)) {
        static const char message[] = "freed a block that is not ours\n";
        if (write(1, message, sizeof message - 1) < 0) abort();
        abort();
    }
}
void* realloc(void* block, size_t size) {
    void* moved = take(16, size);
    if (moved && block) {
        size_t old;
        if (!is_mine(block)) abort();
        memcpy(&old, (char*)block - sizeof old, sizeof old);
        memcpy(moved, block, old < size ? old : size);
    }
    return moved;
}
void* memalign(size_t alignment, size_t size) {
    return take(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    return take(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
    return (*result = take(alignment, size)) ? 0 : ENOMEM;
}

int main(void) {
    const long before = atomic_load(&allocations);
    for (int i = 0; i < 1000; i++) {
        char* text = strdup("allocated within the C library");
        CHECK(is_mine(text));
        text = realloc(text, 100);
        CHECK(is_mine(text) && strncmp(text, "allocated", 9) == 0);
        free(text);
    }
    printf("%ld of our own\n", atomic_load(&allocations) - before);
    return 0;
}
