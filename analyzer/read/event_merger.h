// All logs of a trace as one stream in the order in which things happened.
//
// By ticks; at equal ticks what ends a life before what begins one; then by log. The order
// inside a log is never changed (ORDER in trace_format.h). Memory is one window per log. A log
// usually runs many events in a row, so the common step is one comparison with the best of the
// other logs.
#ifndef LASTREF_ANALYZER_READ_EVENT_MERGER_H
#define LASTREF_ANALYZER_READ_EVENT_MERGER_H

#include <memory>
#include <vector>

#include "read/log_cursor.h"
#include "read/trace_file.h"

namespace lastref {

// True for what is recorded before the real call because it ends an address's life.
constexpr bool ends_a_life(trace::Op op) {
    using trace::Op;
    return op == Op::kFree || op == Op::kRelease || op == Op::kReallocBegin || op == Op::kMunmap ||
           op == Op::kMremapBegin || op == Op::kDestroy;
}

class EventMerger {
public:
    // `trace` must outlive the merger; reading adds to its strings and its damage.
    explicit EventMerger(TraceFile& trace);

    // The next event, valid until the next call; nullptr at the end.
    const Event* next() {
        if (front_ != nullptr) {
            if (!front_->advance()) [[unlikely]] {
                retire_front();
            } else if (after_runner_up(front_->event())) {
                reorder();
            }
        } else {
            start();
        }
        return front_ != nullptr ? &front_->event() : nullptr;
    }

    // Events so far whose stack the trace does not hold. Complete after the last event.
    uint64_t stacks_missing() const { return stacks_missing_; }

private:
    static bool before(const Event& a, const Event& b) {
        if (a.ticks != b.ticks) return a.ticks < b.ticks;
        if (ends_a_life(a.op) != ends_a_life(b.op)) return ends_a_life(a.op);
        return a.log < b.log;
    }
    bool after_runner_up(const Event& event) const {
        if (event.ticks < runner_up_ticks_) [[likely]]
            return false;
        return runner_up_ != nullptr && before(runner_up_->event(), event);
    }

    void start();
    void retire_front();
    void reorder();
    void choose();

    // A binary heap by before(); heap_[0] is front_ while there is one.
    std::vector<std::unique_ptr<LogCursor>> heap_;
    LogCursor* front_ = nullptr;
    const LogCursor* runner_up_ = nullptr;
    uint64_t runner_up_ticks_ = UINT64_MAX;
    const uint64_t cut_ticks_;  // see TraceHeader
    uint64_t stacks_missing_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_EVENT_MERGER_H
