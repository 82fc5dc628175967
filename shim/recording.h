// One record while it is written: the building blocks of the functions of recorder.h.
#ifndef LASTREF_SHIM_RECORDING_H
#define LASTREF_SHIM_RECORDING_H

#include <stdint.h>

#include "clock.h"
#include "record_writer.h"
#include "recorder.h"
#include "session.h"
#include "stack_walk.h"

namespace lastref::recorder {

using trace::Loss;

// A record's scope: picks what it is written with, and gives the level back however it
// ends.
class Recording {
public:
    Recording() : saved_(t_depth), level_(saved_ < kLogs ? saved_ : 0) {
        t_depth = level_ + 1;
        if (saved_ >= kLogs) [[unlikely]]
            start_over(level_);
        asm volatile("" ::: "memory");  // a handler sees the level taken
    }
    ~Recording() {
        asm volatile("" ::: "memory");
        t_depth = saved_;
    }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    // The log with room for a record and `bytes` of text; nullptr: the event is lost, and counted.
    Log* log(uint32_t bytes) {
        writer_ = &t_state->writers[level_];
        Log* log = &writer_->log;
        if (log->cursor + bytes < log->limit) [[likely]]
            return log;
        log = make_room(level_, bytes);
        writer_ = &t_state->writers[level_];
        return log;
    }

    // Once there is a log. `ahead`: what was seen of this stack before, if anything was.
    uint32_t stack(const CallSite& site, const LookedAt* ahead = nullptr) {
        OwnStack& own = t_state->own_stack;
        StackMemo* memo = writer_->memo;
        if (!memo) [[unlikely]]
            return 0;  // a handler forked
        const LookedAt looked =
            ahead && ahead->memo == memo ? *ahead : look_at_stack(site, own, *memo);
        return capture_stack(site, own, may_call_kernel(), looked, writer_->stack_log);
    }

private:
    // All logs were taken, most likely by handlers that left by longjmp: what they had half done in
    // the first log ends with its chunk.
    __attribute__((noinline)) static void start_over(uint32_t level) {
        ThreadState* state = t_state;
        if (state->attached) state->writers[level].log.limit = nullptr;
    }

    uint32_t saved_, level_;
    Writer* writer_;
};

enum class When { kBefore, kAfter };

// A thread counts itself in before its first record, so before it frees anything; loads are not
// reordered on x86-64, so who was given what it freed sees that count.
inline uint64_t ticks_now(When when) {
    const Session& session = *process.session;
    if (when == When::kBefore) return ticks_before(session.clock);
    return ticks_after(session.clock, session.next_thread.load(std::memory_order_relaxed) < 2);
}

template <Op op>
[[gnu::always_inline]] inline void record_now(When when, const Fields& fields, const CallSite* site,
                                              const LookedAt* ahead = nullptr) {
    Recording scope;
    Log* log = scope.log(fields.text_size);
    if (!log) return;
    const uint64_t ticks = ticks_now(when);  // what the walk waits for is not waited for here
    const uint32_t stack = site ? scope.stack(*site, ahead) : 0;
    if (!write_record<op>(*log, ticks, fields, stack)) count_loss(Loss::kNested);
}

template <Op op>
inline void record(When when, const Fields& fields, const CallSite* site) {
    if (recording) record_now<op>(when, fields, site);
}

inline uint64_t number(const void* address) {
    return reinterpret_cast<uintptr_t>(address);
}

}  // namespace lastref::recorder

#endif  // LASTREF_SHIM_RECORDING_H
