// What the interposers and the hook API report: one function per kind of event.
//
// The order rules of the trace stand in the names: `ends` functions are called before the real
// call, `began` functions after it. All may be called from any thread and from signal handlers, on
// any stack; they keep errno, take no lock on their usual path and allocate nothing.
#ifndef LASTREF_SHIM_RECORDER_H
#define LASTREF_SHIM_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "frame_rules.h"
#include "session.h"
#include "stack_capture.h"
#include "stack_memo.h"
#include "thread_log.h"
#include "trace_format.h"

namespace lastref::recorder {

using trace::FailedCall;
using trace::Op;

// Before a real call that will be recorded with its stack: the stack is looked at already, so that
// the memory that it takes to know it comes closer during the call.
LookedAt look_ahead(const CallSite& site);

// The sampling levels ask these first, so that an event outside the sample costs a few nanoseconds.
// Whether a block just allocated is to be recorded (nullptr, a failure, always is), and from then
// on counts as tracked.
inline bool wants_block(const void* block, size_t size);
// Whether the end of `block` is to be recorded; it is no longer tracked then.
inline bool wants_block_end(const void* block);
inline bool wants_buffer_event(const void* buffer);

// A block of `size` bytes was allocated; of wants_block(). `block` nullptr: the call failed.
// `ahead`: of look_ahead() before the call, if it was asked.
void block_began(const void* block, size_t size, const CallSite& site,
                 const LookedAt* ahead = nullptr);
void zeroed_block_began(const void* block, size_t size, const CallSite& site);
void aligned_block_began(const void* block, size_t size, size_t alignment, const CallSite& site,
                         FailedCall call = FailedCall::kMemalign);
// After wants_block_end().
void block_ends(const void* block, const CallSite& site);
// What is returned is passed to realloc_done: whether the old block was recorded.
bool realloc_begins(const void* old_block);
// `new_block` nullptr: failed, the old block lives on.
void realloc_done(bool old_recorded, const void* old_block, const void* new_block, size_t size,
                  const CallSite& site, FailedCall call = FailedCall::kRealloc);

void mapping_began(const void* address, size_t size, int protection, int flags, int fd,
                   const CallSite& site);
// With the call's errno: only where it means that there was no memory, or too much of it locked.
void mapping_failed(FailedCall call, size_t size, const CallSite& site);
void mapping_ends(const void* address, size_t size, const CallSite& site);
void mapping_did_not_end(const void* address, size_t size);
void remap_begins(const void* address, size_t size);
void remap_done(const void* old_address, const void* new_address, size_t old_size, size_t new_size,
                const CallSite& site);
void break_moved(const void* end, intptr_t increment, const CallSite& site);

void buffer_created(const void* buffer, size_t size, const char* type, const CallSite& site);
// Op kRetain, kRelease or kDestroy.
void buffer_event(Op op, const void* buffer, const CallSite& site);
void buffer_touched(const void* buffer, const char* hint, const CallSite& site);
void buffer_counted(const void* buffer, long count, const CallSite& site);
void buffer_moved(const void* from, const void* to, const CallSite& site);
// Of a hooked library's buffer. `flags`: trace::CountedFlags. `count`: see trace::Op::kCounted.
struct Hooked {
    TypeName type;
    uint32_t flags;
    int64_t count;
};
// Op kCreate, kRetain, kRelease, kTouch, kMove (a new holder) or kDestroy.
void hooked_event(Op op, const void* buffer, const Hooked& hooked, const CallSite& site);
void phase_began(const char* phase, const CallSite& site);

void forked(int32_t child, const CallSite& site);
void about_to_exec(const char* path, const CallSite& site);
void about_to_exit(trace::ExitKind kind, int32_t value, const CallSite& site);

namespace slow {
bool take_block(const void* block, size_t size);
bool drop_block(const void* block);
}  // namespace slow

inline bool wants_block(const void* block, size_t size) {
    if (!recording) return false;
    if (!sampling() || !block) return true;
    ThreadState* state = t_state;
    if (state->attached) [[likely]] {
        if (!sample_block(state->points, size, process.config.sample_bytes)) return false;
    }
    return slow::take_block(block, size);
}

inline bool wants_block_end(const void* block) {
    if (!recording || block == t_deleted_block) return false;
    if (!sampling()) return true;
    const Session* session = process.session;
    return session && session->blocks && session->blocks->may_hold(block) &&
           slow::drop_block(block);
}

inline bool wants_buffer_event(const void* buffer) {
    if (!recording) return false;
    if (!sampling()) return true;
    const Session* session = process.session;
    return session && session->buffers && session->buffers->may_hold(buffer) &&
           session->buffers->holds(buffer);
}

}  // namespace lastref::recorder

#endif  // LASTREF_SHIM_RECORDER_H
