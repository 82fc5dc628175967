// What hooks remember of a thread: objects just created, a nested operation, pages known to be
// readable. Constant-initialised; its owner alone touches it, signal handlers included.
#ifndef LASTREF_SHIM_HOOK_THREAD_H
#define LASTREF_SHIM_HOOK_THREAD_H

#include <stdint.h>

#include "hook_rules.h"

namespace lastref::hooks {

struct HookThread {
    static constexpr unsigned kCreated = 8, kPages = 64;

    // The newest creations: `create?` asks whether one came since its function was entered.
    uint64_t creates;
    uintptr_t created[kCreated];

    // While a function with `nest` runs: what it stands for. Void once the stack has been left.
    uintptr_t nest_identity;
    uintptr_t nest_sp;
    Operation nest_operation;

    // The stack depth at which an event is being recorded: hooks below do nothing, so that a hook
    // of something that recording itself calls does not call itself. 0: none.
    uintptr_t busy_sp;

    // Pages found readable lately, by page number.
    struct Page {
        uintptr_t number;
        uint64_t until;  // in `reads`
    } pages[kPages];
    uint64_t reads;
};

extern constinit thread_local HookThread t_hooks __attribute__((tls_model("initial-exec")));

// Reads memory for an expression. Never faults on an address that is not mapped: a page is probed
// with a system call when it is met, and again every kTrusted reads, since it may be unmapped.
inline constexpr uint64_t kTrusted = 1024;

enum class Read : uint8_t { kDone, kNull, kBad };

// An address in the first page counts as no object: kNull. Needs system calls (may_call_kernel).
Read read_memory(HookThread& thread, uintptr_t address, Width width, int64_t& value);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_THREAD_H
