/*
 * An allocator that may be interrupted anywhere and called from the handler: a bump pointer,
 * nothing is reused. Linked as a library, so that it stands behind the shim the way jemalloc
 * does, and the shim's own code is what a signal finds half done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { kHeader = 16 };
static _Alignas(4096) char arena[512 << 20];
static atomic_size_t used;

static void* take(size_t alignment, size_t size) {
    if (size > sizeof arena / 2) {
        errno = ENOMEM;
        return NULL;
    }
    const size_t need = (size + alignment + kHeader + 15) & ~(size_t)15;
    const size_t at = atomic_fetch_add(&used, need);
    if (at + need > sizeof arena) {
        errno = ENOMEM;
        return NULL;
    }
    const uintptr_t block = ((uintptr_t)arena + at + kHeader + alignment - 1) & ~(alignment - 1);
    memcpy((char*)block - sizeof size, &size, sizeof size);
    return (void*)block;
}

size_t malloc_usable_size(void* block) {
    size_t size = 0;
    if (block) memcpy(&size, (char*)block - sizeof size, sizeof size);
    return size;
}
void* malloc(size_t size) {
    return take(16, size);
}
void free(void* block) {
    (void)block;
}
void* calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(16, bytes); /* never reused, so still zero */
}
void* realloc(void* block, size_t size) {
    void* moved = take(16, size);
    const size_t old = malloc_usable_size(block);
    if (moved && block) memcpy(moved, block, old < size ? old : size);
    return moved;
}
void* memalign(size_t alignment, size_t size) {
    return take(alignment < 16 ? 16 : alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
    void* block = memalign(alignment, size);
    if (!block) return ENOMEM;
    *result = block;
    return 0;
}
void* valloc(size_t size) {
    return take(4096, size);
}
void* pvalloc(size_t size) {
    return take(4096, (size + 4095) & ~(size_t)4095);
}
