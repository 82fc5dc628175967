#include "read/event_merger.h"

#include <algorithm>

namespace lastref {

using trace::kMetaLog;

EventMerger::EventMerger(TraceFile& trace) : cut_ticks_(trace.header().cut_ticks) {
    for (const Log& log : trace.logs()) {
        heap_.push_back(std::make_unique<LogCursor>(trace.cursor(log)));
    }
}

void EventMerger::start() {
    if (heap_.empty()) return;
    std::erase_if(heap_, [this](const std::unique_ptr<LogCursor>& cursor) {
        // What is left of a ring's past is not whole. A log's times ascend.
        bool more = cursor->advance();
        while (more && cursor->event().log != kMetaLog && cursor->event().ticks <= cut_ticks_) {
            more = cursor->advance();
        }
        if (more) return false;
        stacks_missing_ += cursor->stacks_missing();
        return true;
    });
    std::make_heap(heap_.begin(), heap_.end(),
                   [](const auto& a, const auto& b) { return before(b->event(), a->event()); });
    choose();
}

void EventMerger::retire_front() {
    stacks_missing_ += front_->stacks_missing();
    std::swap(heap_.front(), heap_.back());
    heap_.pop_back();
    reorder();
}

// Lets a front that is no longer the first sink to its place.
void EventMerger::reorder() {
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && before(heap_[child + 1]->event(), heap_[child]->event())) {
            ++child;
        }
        if (!before(heap_[child]->event(), heap_[hole]->event())) break;
        std::swap(heap_[hole], heap_[child]);
        hole = child;
    }
    choose();
}

void EventMerger::choose() {
    front_ = heap_.empty() ? nullptr : heap_[0].get();
    runner_up_ = heap_.size() > 1 ? heap_[1].get() : nullptr;
    if (heap_.size() > 2 && before(heap_[2]->event(), heap_[1]->event())) {
        runner_up_ = heap_[2].get();
    }
    runner_up_ticks_ = runner_up_ != nullptr ? runner_up_->event().ticks : UINT64_MAX;
}

}  // namespace lastref
