// The C heap, by the names that programs call; what happens is in heap_calls.h.
#include <stdlib.h>

#include "heap_calls.h"

using lastref::need_real_functions;
using Next = lastref::HeapCalls<lastref::next_heap>;
using Libc = lastref::HeapCalls<lastref::libc_heap>;

extern "C" {

LASTREF_INTERPOSE void* malloc(size_t size) {
    return Next::malloc(size);
}
LASTREF_INTERPOSE void* calloc(size_t count, size_t size) {
    return Next::calloc(count, size);
}
LASTREF_INTERPOSE void free(void* block) {
    Next::free(block);
}
LASTREF_INTERPOSE void free_sized(void* block, size_t size) {
    Next::free_sized(block, size);
}
LASTREF_INTERPOSE void free_aligned_sized(void* block, size_t alignment, size_t size) {
    Next::free_aligned_sized(block, alignment, size);
}
LASTREF_INTERPOSE void cfree(void* block) {
    Next::cfree(block);
}
LASTREF_INTERPOSE void* realloc(void* block, size_t size) {
    return Next::realloc(block, size);
}
LASTREF_INTERPOSE void* reallocarray(void* block, size_t count, size_t size) {
    return Next::reallocarray(block, count, size);
}

LASTREF_INTERPOSE int posix_memalign(void** result, size_t alignment, size_t size) {
    return Next::posix_memalign(result, alignment, size);
}
LASTREF_INTERPOSE void* aligned_alloc(size_t alignment, size_t size) {
    return Next::aligned_alloc(alignment, size);
}
LASTREF_INTERPOSE void* memalign(size_t alignment, size_t size) {
    return Next::memalign(alignment, size);
}
LASTREF_INTERPOSE void* valloc(size_t size) {
    return Next::valloc(size);
}
LASTREF_INTERPOSE void* pvalloc(size_t size) {
    return Next::pvalloc(size);
}

}  // extern "C"

namespace {

// Whether code of the allocator behind us calls: its own doing (libc_malloc_debug.so does), since
// the call that led there is recorded.
bool called_by_allocator(const void* return_address) {
    need_real_functions();
    return lastref::next_allocator.holds(reinterpret_cast<uintptr_t>(return_address));
}
#define LASTREF_CALLED_BY_ALLOCATOR called_by_allocator(__builtin_return_address(0))

}  // namespace

extern "C" {

// The C library's other names for its heap. Programs that define malloc themselves, and plug-ins,
// call these.
LASTREF_INTERPOSE void* __libc_malloc(size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.malloc(size);
    return Libc::malloc(size);
}
LASTREF_INTERPOSE void* __libc_calloc(size_t count, size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.calloc(count, size);
    return Libc::calloc(count, size);
}
LASTREF_INTERPOSE void* __libc_realloc(void* block, size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.realloc(block, size);
    return Libc::realloc(block, size);
}
LASTREF_INTERPOSE void __libc_free(void* block) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.free(block);
    Libc::free(block);
}
LASTREF_INTERPOSE void* __libc_memalign(size_t alignment, size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.memalign(alignment, size);
    return Libc::memalign(alignment, size);
}
LASTREF_INTERPOSE void* __libc_valloc(size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.valloc(size);
    return Libc::valloc(size);
}
LASTREF_INTERPOSE void* __libc_pvalloc(size_t size) {
    if (LASTREF_CALLED_BY_ALLOCATOR) return lastref::libc_heap.pvalloc(size);
    return Libc::pvalloc(size);
}

// Not recorded, and not ours in any way: the first call may come before the look-up.
LASTREF_INTERPOSE size_t malloc_usable_size(void* block) {
    need_real_functions();
    return lastref::next_heap.malloc_usable_size ? lastref::next_heap.malloc_usable_size(block) : 0;
}

}  // extern "C"
