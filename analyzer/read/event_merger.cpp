#include "read/event_merger.h"

#include <algorithm>

namespace lastref {

using trace::kMetaLog;

EventMerger::EventMerger(TraceFile& trace) : cut_ticks_(trace.header().cut_ticks), buffer_(256) {
    for (const Log& log : trace.logs()) {
        heap_.push_back(std::make_unique<Stream>(trace.cursor(log)));
    }
}

size_t EventMerger::fill(std::span<Event> to) {
    if (!started_) start();
    size_t count = 0;
    while (count < to.size() && !heap_.empty()) {
        Stream& stream = *heap_.front();
        count += take_run(stream, to.subspan(count));
        if (stream.at == stream.end && !stream.refill()) {
            retire_front();
        } else {
            sink_front();
        }
    }
    return count;
}

void EventMerger::start() {
    started_ = true;
    std::erase_if(heap_, [this](const std::unique_ptr<Stream>& stream) {
        if (stream->refill() && skip_cut_off(*stream)) return false;
        stacks_missing_ += stream->cursor.stacks_missing();
        return true;
    });
    std::make_heap(heap_.begin(), heap_.end(),
                   [](const auto& a, const auto& b) { return before(b->front(), a->front()); });
}

// What is left of a ring's past is not whole. A log's times ascend. False if nothing comes later.
bool EventMerger::skip_cut_off(Stream& stream) const {
    if (stream.cursor.log().id == kMetaLog) return true;
    while (stream.front().ticks <= cut_ticks_) {
        if (++stream.at == stream.end && !stream.refill()) return false;
    }
    return true;
}

// Hands on what comes before the front of any other log: one event at least.
size_t EventMerger::take_run(Stream& stream, std::span<Event> to) const {
    const size_t most = std::min(to.size(), stream.end - stream.at);
    const Event* rival = heap_.size() > 1 ? &heap_[1]->front() : nullptr;
    if (heap_.size() > 2 && before(heap_[2]->front(), *rival)) rival = &heap_[2]->front();
    const Event* const first = &stream.front();
    size_t count = most;
    if (rival != nullptr && rival->ticks <= first[most - 1].ticks) {
        count = 1;
        while (count < most && before(first[count], *rival)) ++count;
    }
    std::copy_n(first, count, to.begin());
    stream.at += count;
    return count;
}

void EventMerger::retire_front() {
    stacks_missing_ += heap_.front()->cursor.stacks_missing();
    std::swap(heap_.front(), heap_.back());
    heap_.pop_back();
    sink_front();
}

// Lets a front that is no longer the first sink to its place.
void EventMerger::sink_front() {
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && before(heap_[child + 1]->front(), heap_[child]->front())) {
            ++child;
        }
        if (!before(heap_[child]->front(), heap_[hole]->front())) break;
        std::swap(heap_[hole], heap_[child]);
        hole = child;
    }
}

}  // namespace lastref
