// Takes the call stack of an event.
//
// The walk starts in the caller of an interposer, from the registers there, and steps outwards by
// frame rules. Where there is no rule (code of a JIT, hand-written assembly) it follows the frame
// pointer if that leads further up the same stack to a plausible return address; else it ends.
// Every read is checked against the stack's bounds, and each frame must lie above the last one, so
// a walk ends and never faults, whatever the registers hold.
#ifndef LASTREF_SHIM_STACK_CAPTURE_H
#define LASTREF_SHIM_STACK_CAPTURE_H

#include <stdint.h>

#include "stack_bounds.h"
#include "trace_format.h"

namespace lastref {

// The program's frame that called us: where it goes on, and its registers there.
struct CallSite {
    uintptr_t pc, sp, fp;
};

// The caller of the function whose frame address (`__builtin_frame_address(0)`) is given. That
// function must be compiled with a frame pointer, as all of the shim is.
inline CallSite caller_of(const void* frame_address) {
    const auto* frame = static_cast<const uintptr_t*>(frame_address);
    return {frame[1], reinterpret_cast<uintptr_t>(frame + 2), frame[0]};
}

struct Walk {
    uint32_t count;         // frames stored
    trace::StackEnd end;    // why it stopped
};

// Stores at most `limit` program counters (as in StackNode: return addresses, or exact ones with
// kExactPc), the innermost first. Re-entrant; takes no lock but for a module never seen before.
Walk capture_stack(const CallSite& site, OwnStack& own, bool may_call_kernel, uint64_t* pcs,
                   uint32_t limit);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_CAPTURE_H
