// The C heap: each function calls the real one and tells the recorder; ends are told before the
// real call, beginnings after it.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "interpose.h"
#include "real_functions.h"
#include "recorder.h"
#include "startup_arena.h"

using lastref::real;
namespace recorder = lastref::recorder;

extern "C" {

LASTREF_INTERPOSE void* malloc(size_t size) {
    if (lastref::recording && !lastref::sampling()) [[likely]] {
        const lastref::CallSite site = LASTREF_CALLER;
        const lastref::LookedAt ahead = recorder::look_ahead(site);
        void* block = real.malloc(size);
        recorder::block_began(block, size, site, &ahead);
        return block;
    }
    void* block = real.malloc(size);
    if (recorder::wants_block(block, size)) {
        recorder::block_began(block, size, LASTREF_CALLER);
    }
    return block;
}

LASTREF_INTERPOSE void* calloc(size_t count, size_t size) {
    void* block = real.calloc(count, size);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
    if (recorder::wants_block(block, bytes)) {
        recorder::zeroed_block_began(block, bytes, LASTREF_CALLER);
    }
    return block;
}

LASTREF_INTERPOSE void free(void* block) {
    if (!block || lastref::startup_arena::owns(block)) return;
    if (recorder::wants_block_end(block)) recorder::block_ends(block, LASTREF_CALLER);
    real.free(block);
}

// C23. Where the allocator does not know them, free() means the same.
LASTREF_INTERPOSE void free_sized(void* block, size_t size) {
    if (!block) return;
    if (recorder::wants_block_end(block)) recorder::block_ends(block, LASTREF_CALLER);
    if (real.free_sized)
        real.free_sized(block, size);
    else
        real.free(block);
}

LASTREF_INTERPOSE void free_aligned_sized(void* block, size_t alignment, size_t size) {
    if (!block) return;
    if (recorder::wants_block_end(block)) recorder::block_ends(block, LASTREF_CALLER);
    if (real.free_aligned_sized)
        real.free_aligned_sized(block, alignment, size);
    else
        real.free(block);
}

LASTREF_INTERPOSE void cfree(void* block) {
    if (!block || lastref::startup_arena::owns(block)) return;
    if (recorder::wants_block_end(block)) recorder::block_ends(block, LASTREF_CALLER);
    real.free(block);
}

}  // extern "C"

namespace {

// realloc and reallocarray: a block from the startup arena moves to the heap; realloc to zero frees
// or not, as the real one decides.
void* reallocate(void* old_block, size_t size, const lastref::CallSite& site) {
    if (!old_block) {
        void* block = real.realloc(nullptr, size);
        if (recorder::wants_block(block, size)) {
            recorder::block_began(block, size, site);
        }
        return block;
    }
    if (lastref::startup_arena::owns(old_block)) {
        void* block = real.malloc(size);
        if (block) {
            const size_t held = lastref::startup_arena::size_from(old_block);
            memcpy(block, old_block, size < held ? size : held);
        }
        if (recorder::wants_block(block, size)) {
            recorder::block_began(block, size, site);
        }
        return block;
    }
    const bool recorded = recorder::realloc_begins(old_block);
    void* block = real.realloc(old_block, size);
    // With size 0 a null result means that the block was freed, which has been told.
    if (block || size != 0) recorder::realloc_done(recorded, old_block, block, size, site);
    return block;
}

}  // namespace

extern "C" {

LASTREF_INTERPOSE void* realloc(void* block, size_t size) {
    return reallocate(block, size, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* reallocarray(void* block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        recorder::realloc_done(false, nullptr, nullptr, SIZE_MAX, LASTREF_CALLER);
        errno = ENOMEM;
        return nullptr;
    }
    return reallocate(block, bytes, LASTREF_CALLER);
}

LASTREF_INTERPOSE int posix_memalign(void** result, size_t alignment, size_t size) {
    if (!real.posix_memalign) lastref::find_real_functions();
    if (!real.posix_memalign) return ENOMEM;
    const int error = real.posix_memalign(result, alignment, size);
    if (error == EINVAL) return error;
    const void* block = error == 0 ? *result : nullptr;
    if (recorder::wants_block(block, size)) {
        recorder::aligned_block_began(block, size, alignment, LASTREF_CALLER);
    }
    return error;
}

}  // extern "C"

namespace {

using AlignedFunction = void* (*)(size_t, size_t);

void* aligned(AlignedFunction function, size_t alignment, size_t size,
              const lastref::CallSite& site) {
    if (!function) {
        errno = ENOMEM;
        return nullptr;
    }
    void* block = function(alignment, size);
    if (recorder::wants_block(block, size)) {
        recorder::aligned_block_began(block, size, alignment, site);
    }
    return block;
}

constexpr size_t kPage = 4096;

void* page_aligned(void* (*function)(size_t), size_t size, const lastref::CallSite& site) {
    if (!function) {
        errno = ENOMEM;
        return nullptr;
    }
    void* block = function(size);
    if (recorder::wants_block(block, size)) {
        recorder::aligned_block_began(block, size, kPage, site);
    }
    return block;
}

}  // namespace

extern "C" {

LASTREF_INTERPOSE void* aligned_alloc(size_t alignment, size_t size) {
    if (!real.aligned_alloc) lastref::find_real_functions();
    return aligned(real.aligned_alloc, alignment, size, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* memalign(size_t alignment, size_t size) {
    if (!real.memalign) lastref::find_real_functions();
    return aligned(real.memalign, alignment, size, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* valloc(size_t size) {
    if (!real.valloc) lastref::find_real_functions();
    return page_aligned(real.valloc, size, LASTREF_CALLER);
}

LASTREF_INTERPOSE void* pvalloc(size_t size) {
    if (!real.pvalloc) lastref::find_real_functions();
    return page_aligned(real.pvalloc, size, LASTREF_CALLER);
}

// Not recorded; interposed only because a block of the startup arena is unknown to the real one.
LASTREF_INTERPOSE size_t malloc_usable_size(void* block) {
    if (!block || lastref::startup_arena::owns(block)) return 0;
    if (!real.malloc_usable_size) lastref::find_real_functions();
    return real.malloc_usable_size ? real.malloc_usable_size(block) : 0;
}

}  // extern "C"
