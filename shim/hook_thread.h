// What hooks remember of a thread: objects just created, a nested operation, pages known to be
// readable. Constant-initialised; its owner alone touches it, signal handlers included.
#ifndef LASTREF_SHIM_HOOK_THREAD_H
#define LASTREF_SHIM_HOOK_THREAD_H

#include <stdint.h>

#include "hook_rules.h"

namespace lastref::hooks {

struct HookThread {
    static constexpr unsigned kCreated = 8, kPages = 128;

    // The newest creations: `create?` asks whether one came since its function was entered.
    uint64_t creates;
    uintptr_t created[kCreated];

    // While a function with `nest` runs: what it stands for. Void once the stack has been left.
    uintptr_t nest_identity;
    uintptr_t nest_sp;
    Operation nest_operation;

    // A buffer that the newest event stepped the counter of, and what the counter should be then.
    uintptr_t stepped_identity;
    int64_t count_expected;

    // Where on the stack an event is being recorded, 0: nowhere, and in how many at once: signal
    // handlers record theirs, but a hook of something that recording itself calls must not go on
    // calling itself. A handler that left by longjmp leaves these behind.
    uintptr_t busy_sp;
    uint32_t busy_depth;
    bool is_busy_above(uintptr_t sp) const {
        constexpr uintptr_t kDeepest = 256u << 10;
        return busy_sp - sp < kDeepest;
    }

    // Numbers of pages found readable lately, scattered: of those in use many lie a multiple of
    // 128 pages apart. All are forgotten every kTrusted reads.
    uintptr_t pages[kPages];
    uint32_t reads;
    uintptr_t& page(uintptr_t number) { return pages[number * 0x9e3779b97f4a7c15u >> 57]; }
};
static_assert(HookThread::kPages == 1 << (64 - 57));

extern constinit thread_local HookThread t_hooks __attribute__((tls_model("initial-exec")));

// Reads memory for an expression. Never faults on an address that is not mapped: a page is probed
// with a system call when it is met, and again after at most kTrusted reads, since it may be
// unmapped.
inline constexpr uint32_t kTrusted = 4096;

enum class Read : uint8_t { kDone, kNull, kBad };

inline constexpr unsigned kPageBits = 12;

// Whether the `size` bytes at `address` can be read: probes what is not known. An address in the
// first page counts as no object: kNull.
Read probe_memory(HookThread& thread, uintptr_t address, unsigned size);

// Needs system calls (may_call_kernel).
inline Read read_memory(HookThread& thread, uintptr_t address, Width width, int64_t& value) {
    constexpr uint8_t kSizes[] = {1, 2, 4, 8, 4, 8};  // of enum Width
    const unsigned size = kSizes[static_cast<unsigned>(width)];
    const uintptr_t number = address >> kPageBits;
    if (++thread.reads % kTrusted == 0) [[unlikely]]
        __builtin_memset(thread.pages, 0, sizeof(thread.pages));
    // Whatever is noted there, the first page is not readable.
    if (number == 0 || thread.page(number) != number || (address + size - 1) >> kPageBits != number)
        [[unlikely]] {
        const Read read = probe_memory(thread, address, size);
        if (read != Read::kDone) return read;
    }
    const auto load = [address]<typename T>(T word) {
        __builtin_memcpy(&word, reinterpret_cast<const void*>(address), sizeof(word));
        return static_cast<int64_t>(word);
    };
    switch (width) {
        case Width::kU8:
            value = load(uint8_t{});
            break;
        case Width::kU16:
            value = load(uint16_t{});
            break;
        case Width::kU32:
            value = load(uint32_t{});
            break;
        case Width::kI32:
            value = load(int32_t{});
            break;
        default:
            value = load(int64_t{});
            break;
    }
    return Read::kDone;
}

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_THREAD_H
