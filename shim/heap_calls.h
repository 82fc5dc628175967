// Handles a call of a C heap function, whichever way it reached us: by our exported name, by the C
// library's second name for it, or by an entry of the program's own allocator. Ends of lives are
// recorded before the real call, beginnings after it.
//
// Each function is inlined into the one that the program called, whose caller is the record's.
// `heap` is the heap that the call goes on to.
#ifndef LASTREF_SHIM_HEAP_CALLS_H
#define LASTREF_SHIM_HEAP_CALLS_H

#include <errno.h>
#include <stdint.h>

#include "allocator_guard.h"
#include "interpose.h"
#include "real_functions.h"
#include "recorder.h"

namespace lastref {

template <HeapFunctions& heap>
struct HeapCalls {
#define LASTREF_CALL [[gnu::always_inline]] static inline

    // The four functions that programs call most go straight on where nothing is recorded: a
    // program that runs under a sleeping shim pays for one test and a jump.
    LASTREF_CALL void* malloc(size_t size) {
        if (!recording) [[unlikely]]
            return heap.malloc(size);
        if (recording && !sampling() && !entries_hooked) [[likely]] {
            const CallSite site = LASTREF_CALLER;
            const LookedAt ahead = recorder::look_ahead(site);
            void* block = heap.malloc(size);
            recorder::block_began(block, size, site, &ahead);
            return block;
        }
        if (within_allocator()) return heap.malloc(size);
        void* block;
        {
            InAllocator inside;
            block = heap.malloc(size);
        }
        if (recorder::wants_block(block, size)) {
            recorder::block_began(block, size, LASTREF_CALLER);
        }
        return block;
    }

    LASTREF_CALL void* calloc(size_t count, size_t size) {
        if (!recording) [[unlikely]]
            return heap.calloc(count, size);
        if (within_allocator()) return heap.calloc(count, size);
        void* block;
        {
            InAllocator inside;
            block = heap.calloc(count, size);
        }
        size_t bytes;
        if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
        if (recorder::wants_block(block, bytes)) {
            recorder::zeroed_block_began(block, bytes, LASTREF_CALLER);
        }
        return block;
    }

    // `call` frees the block.
    template <typename Call>
    LASTREF_CALL void free_by(void* block, Call call) {
        if (!block) return;
        if (within_allocator()) return call();
        if (recorder::wants_block_end(block)) recorder::block_ends(block, LASTREF_CALLER);
        InAllocator inside;
        call();
        asm volatile("");  // no tail call: is_inner_call() looks at the return address
    }

    LASTREF_CALL void free(void* block) {
        if (!recording) [[unlikely]]
            return heap.free(block);
        free_by(
            block, [=]() __attribute__((always_inline)) { heap.free(block); });
    }

    // C23. Where the allocator does not know them, free() means the same: the program's own.
    LASTREF_CALL void free_sized(void* block, size_t size) {
        need_real_functions();
        if (!heap.free_sized) return plain_free(block);
        free_by(
            block, [=]() __attribute__((always_inline)) { heap.free_sized(block, size); });
    }
    LASTREF_CALL void free_aligned_sized(void* block, size_t alignment, size_t size) {
        need_real_functions();
        if (!heap.free_aligned_sized) return plain_free(block);
        free_by(
            block, [=]() __attribute__((always_inline)) {
                heap.free_aligned_sized(block, alignment, size);
            });
    }
    LASTREF_CALL void cfree(void* block) {
        need_real_functions();
        if (!heap.cfree) return plain_free(block);
        free_by(
            block, [=]() __attribute__((always_inline)) { heap.cfree(block); });
    }

    // `call` is the real function. realloc to zero frees or not, as that decides.
    template <typename Call>
    LASTREF_CALL void* reallocate(void* old_block, size_t size, trace::FailedCall kind, Call call) {
        if (within_allocator()) return call();
        if (!old_block) {
            void* block;
            {
                InAllocator inside;
                block = call();
            }
            if (!block) {
                recorder::realloc_done(false, nullptr, nullptr, size, LASTREF_CALLER, kind);
            } else if (recorder::wants_block(block, size)) {
                recorder::block_began(block, size, LASTREF_CALLER);
            }
            return block;
        }
        const bool recorded = recorder::realloc_begins(old_block);
        void* block;
        {
            InAllocator inside;
            block = call();
        }
        // With size 0 a null result means that the block was freed, which has been recorded.
        if (block || size != 0) {
            recorder::realloc_done(recorded, old_block, block, size, LASTREF_CALLER, kind);
        }
        return block;
    }

    LASTREF_CALL void* realloc(void* block, size_t size) {
        if (!recording) [[unlikely]]
            return heap.realloc(block, size);
        return reallocate(
            block, size, trace::FailedCall::kRealloc, [=]() __attribute__((always_inline)) {
                return heap.realloc(block, size);
            });
    }

    LASTREF_CALL void* reallocarray(void* block, size_t count, size_t size) {
        need_real_functions();
        size_t bytes;
        const bool overflow = __builtin_mul_overflow(count, size, &bytes);
        if (overflow && !within_allocator()) {
            recorder::realloc_done(false, nullptr, nullptr, SIZE_MAX, LASTREF_CALLER,
                                   trace::FailedCall::kReallocArray);
        }
        if (overflow || !heap.reallocarray) {
            if (overflow) return errno = ENOMEM, nullptr;
            return front_entries.realloc ? front_entries.realloc(block, bytes)
                                         : realloc(block, bytes);
        }
        // The C library's calls realloc by name: the program's own, which records what it is called
        // for, or that of `heap`.
        if (!heap.own_reallocarray) {
            if (front_entries.realloc) return heap.reallocarray(block, count, size);
            return reallocate(
                block, bytes,
                trace::FailedCall::kReallocArray, [=]() __attribute__((always_inline)) {
                    return heap.realloc(block, bytes);
                });
        }
        return reallocate(
            block, bytes, trace::FailedCall::kReallocArray, [=]() __attribute__((always_inline)) {
                return heap.reallocarray(block, count, size);
            });
    }

    LASTREF_CALL int posix_memalign(void** result, size_t alignment, size_t size) {
        need_real_functions();
        if (!heap.posix_memalign) return ENOMEM;
        if (within_allocator()) return heap.posix_memalign(result, alignment, size);
        int error;
        {
            InAllocator inside;
            error = heap.posix_memalign(result, alignment, size);
        }
        if (error == EINVAL) return error;
        const void* block = error == 0 ? *result : nullptr;
        if (recorder::wants_block(block, size)) {
            recorder::aligned_block_began(block, size, alignment, LASTREF_CALLER,
                                          trace::FailedCall::kPosixMemalign);
        }
        return error;
    }

    // `call` is the real function, `there` says whether there is one. EINVAL refuses an alignment:
    // no memory is missing. An errno from before the call must not be taken for the call's.
    template <typename Call>
    LASTREF_CALL void* aligned(bool there, size_t alignment, size_t size, trace::FailedCall kind,
                               Call call) {
        if (!there) {
            errno = ENOMEM;
            return nullptr;
        }
        if (within_allocator()) return call();
        const int errno_before = errno;
        errno = 0;
        void* block;
        {
            InAllocator inside;
            block = call();
        }
        const bool refused = !block && errno == EINVAL;
        if (errno == 0) errno = errno_before;
        if (!refused && recorder::wants_block(block, size)) {
            recorder::aligned_block_began(block, size, alignment, LASTREF_CALLER, kind);
        }
        return block;
    }

    LASTREF_CALL void* aligned_alloc(size_t alignment, size_t size) {
        need_real_functions();
        return aligned(
            heap.aligned_alloc, alignment, size,
            trace::FailedCall::kAlignedAlloc, [=]() __attribute__((always_inline)) {
                return heap.aligned_alloc(alignment, size);
            });
    }
    LASTREF_CALL void* memalign(size_t alignment, size_t size) {
        need_real_functions();
        return aligned(
            heap.memalign, alignment, size,
            trace::FailedCall::kMemalign, [=]() __attribute__((always_inline)) {
                return heap.memalign(alignment, size);
            });
    }
    LASTREF_CALL void* valloc(size_t size) {
        need_real_functions();
        return aligned(
            heap.valloc, kPage, size,
            trace::FailedCall::kValloc, [=]() __attribute__((always_inline)) {
                return heap.valloc(size);
            });
    }
    LASTREF_CALL void* pvalloc(size_t size) {
        need_real_functions();
        return aligned(
            heap.pvalloc, kPage, size,
            trace::FailedCall::kPvalloc, [=]() __attribute__((always_inline)) {
                return heap.pvalloc(size);
            });
    }

    // jemalloc's own interface. The alignment is in the low bits of `flags` (MALLOCX_LG_ALIGN), and
    // whether the block is zeroed makes no difference here.
    LASTREF_CALL void* mallocx(size_t size, int flags) {
        return aligned(
            true, size_t{1} << (flags & 63), size,
            trace::FailedCall::kMemalign, [=]() __attribute__((always_inline)) {
                return heap.mallocx(size, flags);
            });
    }
    LASTREF_CALL void* rallocx(void* block, size_t size, int flags) {
        return reallocate(
            block, size, trace::FailedCall::kRealloc, [=]() __attribute__((always_inline)) {
                return heap.rallocx(block, size, flags);
            });
    }
    // Resizes in place: the life goes on, at another size.
    LASTREF_CALL size_t xallocx(void* block, size_t size, size_t extra, int flags) {
        if (within_allocator()) return heap.xallocx(block, size, extra, flags);
        const bool recorded = recorder::realloc_begins(block);
        size_t now;
        {
            InAllocator inside;
            now = heap.xallocx(block, size, extra, flags);
        }
        recorder::realloc_done(recorded, block, block, now, LASTREF_CALLER);
        return now;
    }
    LASTREF_CALL void dallocx(void* block, int flags) {
        free_by(
            block, [=]() __attribute__((always_inline)) { heap.dallocx(block, flags); });
    }
    LASTREF_CALL void sdallocx(void* block, size_t size, int flags) {
        free_by(
            block, [=]() __attribute__((always_inline)) { heap.sdallocx(block, size, flags); });
    }

private:
    static constexpr size_t kPage = 4096;

    LASTREF_CALL void plain_free(void* block) {
        // Where the program has a free() of its own in front of us, its entry is what it means.
        if (front_entries.free && &heap != &front_heap) return front_entries.free(block);
        free(block);
    }
#undef LASTREF_CALL
};

}  // namespace lastref

#endif  // LASTREF_SHIM_HEAP_CALLS_H
