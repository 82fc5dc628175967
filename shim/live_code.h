// Replaces the first bytes of functions that other threads may be running.
//
// Nothing makes a write of five bytes atomic, and a thread that was preempted inside them would
// resume in the middle of the new instruction. So, for all functions at once:
//   1. the first two bytes become a jump to themselves: who calls waits there;
//   2. it is waited until every other thread has been in a system call or has run since: then it
//      has left the bytes;
//   3. the other bytes are written, then the first two, with membarrier() between, so that no
//      processor runs what it fetched before.
// A thread that does not run for long (its processor is taken) ends the attempt: the functions are
// as they were.
#ifndef LASTREF_SHIM_LIVE_CODE_H
#define LASTREF_SHIM_LIVE_CODE_H

#include <stdint.h>

#include "hook_code.h"
#include "hook_relocate.h"

namespace lastref::hooks {

struct JumpAt {
    uintptr_t from, to;  // within reach of each other
};

// Writes the jumps; all of them or none. nullptr on success, else the reason. `live`: other threads
// may be running the functions; the caller's own must not. Under the caller's lock.
const char* write_jumps(const JumpAt* jumps, unsigned count, bool live, CodeWriter& writer);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_LIVE_CODE_H
