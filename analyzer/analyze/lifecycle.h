// Follows the lives of everything in one trace: hands each event to what it concerns.
//
// The state machines are drawn in heap.h, mappings.h and buffers.h. What this file adds is that
// memory and the buffers in it share their fate.
#ifndef LASTREF_ANALYZER_ANALYZE_LIFECYCLE_H
#define LASTREF_ANALYZER_ANALYZE_LIFECYCLE_H

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>

#include "analyze/buffers.h"
#include "analyze/heap.h"
#include "analyze/mappings.h"
#include "analyze/misuse.h"
#include "analyze/trace_follower.h"
#include "read/event.h"

namespace lastref {

class Lifecycle {
public:
    // `from_start`: the trace begins with its process. `whole`: nothing in it is missing. Without
    // them an odd event may be the trace's fault and not the program's.
    Lifecycle(uint64_t ticks_per_second, bool from_start, bool whole)
        : heap_(misuses_, from_start && whole), buffers_(misuses_, ticks_per_second, whole) {}
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;

    // Events in their order. Together they cost less than one by one: where the blocks of those to
    // come lie is asked for ahead.
    void handle(std::span<const Event> events) {
        constexpr size_t kAhead = 12;
        for (size_t i = 0; i < std::min(kAhead, events.size()); ++i) heap_.prefetch(events[i]);
        for (size_t i = 0; i < events.size(); ++i) {
            if (i + kAhead < events.size()) heap_.prefetch(events[i + kAhead]);
            handle(events[i]);
        }
    }

    void handle(const Event& event) {
        ++events_;
        last_ticks_ = event.ticks;
        if (follower_ != nullptr) [[unlikely]]
            follower_->event(event);
        switch (event.op) {
            case trace::Op::kMalloc:
            case trace::Op::kCalloc:
            case trace::Op::kMemalign:
                heap_.begin(event);
                buffers_.memory_begins(event.address, event.size);
                break;
            case trace::Op::kFree:
                // Where the block is unknown, a buffer may still start at that very address.
                buffers_.memory_ends(event.address, heap_.end(event).value_or(1), event);
                break;
            default:
                handle_rare(event);
                break;
        }
    }

    // To be called before the first event. `follower` must outlive this.
    void report_to(TraceFollower* follower) {
        follower_ = follower;
        heap_.report_to(follower);
        mappings_.report_to(follower);
        buffers_.report_to(follower);
    }
    // To be called before the first event.
    void set_hooks(const HookFacts& hooks, bool from_start) {
        buffers_.set_hooks(hooks, from_start);
    }

    // To be called once, after the last event.
    void finish() { buffers_.finish(); }

    uint64_t events() const { return events_; }
    uint64_t last_ticks() const { return last_ticks_; }
    const Heap& heap() const { return heap_; }
    const Mappings& mappings() const { return mappings_; }
    const Buffers& buffers() const { return buffers_; }
    const MisuseLog& misuses() const { return misuses_; }
    // Threads that did no more when the process ended: those that had ended, and the one that ended
    // it. Empty where its end was not seen.
    std::set<uint32_t> threads_at_rest() const {
        return saw_exit_ ? at_rest_ : std::set<uint32_t>();
    }

private:
    void handle_rare(const Event& event);
    void realloc_done(const Event& event);
    void remap_done(const Event& event);
    void allocation_failed(const Event& event);

    MisuseLog misuses_;
    Heap heap_;
    Mappings mappings_;
    Buffers buffers_;
    uint64_t events_ = 0;
    uint64_t last_ticks_ = 0;
    TraceFollower* follower_ = nullptr;
    std::set<uint32_t> at_rest_;
    bool saw_exit_ = false;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LIFECYCLE_H
