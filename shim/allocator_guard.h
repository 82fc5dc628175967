// Calls that an allocator makes of itself are not the program's.
//
// Where an allocator's own entries lead to us (heap_entries.h), its realloc may come back through
// its malloc, and a wrapper's malloc through the one that it wraps. The outermost call alone is
// recorded. Where no entry is hooked this costs one test of a constant byte.
#ifndef LASTREF_SHIM_ALLOCATOR_GUARD_H
#define LASTREF_SHIM_ALLOCATOR_GUARD_H

#include <stdint.h>

namespace lastref {

// Whether any allocator's entries lead to us. Set once, before the first of them does.
extern bool entries_hooked;

// Where on the stack this thread called an allocator, 0: nowhere.
extern constinit thread_local uintptr_t t_allocator_sp __attribute__((tls_model("initial-exec")));

// An allocator that was left by longjmp or an exception leaves its mark behind: a call from
// further out, or from another stack, is none of its own.
inline bool within_allocator() {
    if (!entries_hooked) [[likely]]
        return false;
    constexpr uintptr_t kDeepest = 256u << 10;
    const auto sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    return t_allocator_sp != 0 && t_allocator_sp - sp < kDeepest;
}

// While this lives, the real function runs. Not for functions that throw.
class InAllocator {
public:
    [[gnu::always_inline]] InAllocator() : outer_(t_allocator_sp) {
        if (entries_hooked)
            t_allocator_sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    }
    [[gnu::always_inline]] ~InAllocator() {
        if (entries_hooked) t_allocator_sp = outer_;
    }
    InAllocator(const InAllocator&) = delete;
    InAllocator& operator=(const InAllocator&) = delete;

private:
    const uintptr_t outer_;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_ALLOCATOR_GUARD_H
