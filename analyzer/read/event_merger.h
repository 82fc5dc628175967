// All logs of a trace as one stream in the order in which things happened.
//
// By ticks; at equal ticks what ends a life before what begins one; then by log. The order
// inside a log is never changed (ORDER in trace_format.h). Memory is one window and a few decoded
// events per log. A log usually runs many events in a row, so they are decoded to where they are
// wanted; what turns out to come after another log's first one is taken back.
#ifndef LASTREF_ANALYZER_READ_EVENT_MERGER_H
#define LASTREF_ANALYZER_READ_EVENT_MERGER_H

#include <algorithm>
#include <array>
#include <memory>
#include <span>
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

    // Writes the next events to `to`, as many as it takes; fewer only at the end of the trace.
    size_t fill(std::span<Event> to);

    // The next event, valid until the next call; nullptr at the end. For those who have time; not
    // to be mixed with fill().
    const Event* next() {
        if (next_ == filled_) {
            filled_ = fill(buffer_);
            next_ = 0;
        }
        return next_ < filled_ ? &buffer_[next_++] : nullptr;
    }

    // Events so far whose stack the trace does not hold. Complete after the last event.
    uint64_t stacks_missing() const { return stacks_missing_; }

private:
    // A log with what was decoded of it and not yet handed on. In heap_ only the first may have
    // none.
    struct Stream {
        explicit Stream(LogCursor log) : cursor(std::move(log)) {}
        const Event& front() const { return decoded[at]; }
        bool is_empty() const { return at == end; }
        bool refill() {
            at = 0;
            end = cursor.decode(decoded);
            return end != 0;
        }
        void take_back(std::span<const Event> events) {
            at = 0;
            end = events.size();
            std::copy(events.begin(), events.end(), decoded.begin());
        }

        LogCursor cursor;
        size_t at = 0, end = 0;
        std::array<Event, 64> decoded;
    };

    static bool before(const Event& a, const Event& b) {
        if (a.ticks != b.ticks) return a.ticks < b.ticks;
        if (ends_a_life(a.op) != ends_a_life(b.op)) return ends_a_life(a.op);
        return a.log < b.log;
    }

    void start();
    bool skip_cut_off(Stream& stream) const;
    const Event* rival() const;
    size_t hand_on(Stream& stream, std::span<Event> to) const;
    size_t decode_run(Stream& stream, std::span<Event> to, bool& is_over) const;
    void retire_front();
    void sink_front();

    std::vector<std::unique_ptr<Stream>> heap_;  // a binary heap by before() of their front()
    bool started_ = false;
    const uint64_t cut_ticks_;  // see TraceHeader
    uint64_t stacks_missing_ = 0;
    std::vector<Event> buffer_;  // of next()
    size_t next_ = 0, filled_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_EVENT_MERGER_H
