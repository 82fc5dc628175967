// The trace's clock: the invariant TSC where the kernel itself trusts it as its clock source, else
// CLOCK_MONOTONIC. One tick of the trace is 32 cycles, some 10 ns, or one nanosecond: fine enough
// to order a free against the reuse of its address on another core, which takes an allocator's lock
// and the transfer of its cache line, some 100 ns; and mostly one byte in a record.
#ifndef LASTREF_SHIM_CLOCK_H
#define LASTREF_SHIM_CLOCK_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

namespace lastref {

inline constexpr int kTscShift = 5;

// What a process reads its ticks from.
enum class TickSource : uint32_t {
    kTsc,
    kMonotonic,
    // A process that gave up its clocks (PR_SET_TSC, strict seccomp: the vDSO reads the TSC too)
    // counts events from its last reading on: the order stays true, the times stand still.
    kCounter,
};

// Which clock this machine has. Reads /sys: call once, at start. `vdso`: its ELF header, 0: none.
TickSource choose_clock(uintptr_t vdso);

// Nanoseconds, by the kernel's vDSO or a system call: clock_gettime() may be the program's own.
uint64_t clock_ns(clockid_t id);

// From now on count, starting at `ticks`.
void start_counting(uint64_t ticks);
uint64_t ticks_without_tsc(TickSource source);

// For what ends a life: later stores of this thread become visible after the reading (x86 keeps
// store order, and the record that holds the reading is stored before the real call frees).
inline uint64_t ticks_before(TickSource source) {
    if (source == TickSource::kTsc) [[likely]]
        return __rdtsc() >> kTscShift;
    return ticks_without_tsc(source);
}

// For what begins a life: the fence keeps the processor from reading the clock before the real
// allocation, and with it another thread's free of the same address, has been seen. `alone`: no
// other thread has recorded anything, as seen after the real call; there is nothing to order then,
// and the fence is half the price.
inline uint64_t ticks_after(TickSource source, bool alone = false) {
    if (source == TickSource::kTsc) [[likely]] {
        if (!alone) _mm_lfence();
        return __rdtsc() >> kTscShift;
    }
    return ticks_without_tsc(source);
}

}  // namespace lastref

#endif  // LASTREF_SHIM_CLOCK_H
