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
        if (!stream.is_empty()) {
            count += hand_on(stream, to.subspan(count));
            if (!stream.is_empty()) sink_front();
            continue;
        }
        bool is_over = false;
        count += decode_run(stream, to.subspan(count), is_over);
        if (is_over) {
            retire_front();
        } else if (!stream.is_empty()) {
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

// What comes next of all logs but the first of the heap; nullptr if that is the only one.
const Event* EventMerger::rival() const {
    if (heap_.size() < 2) return nullptr;
    const Event& left = heap_[1]->front();
    if (heap_.size() > 2 && before(heap_[2]->front(), left)) return &heap_[2]->front();
    return &left;
}

namespace {

// How many of `events`, which ascend, come before `rival`.
template <typename Before>
size_t count_before(std::span<const Event> events, const Event* rival, const Before& before) {
    if (rival == nullptr || events.empty() || events.back().ticks < rival->ticks) {
        return events.size();
    }
    size_t count = 0;
    while (count < events.size() && before(events[count], *rival)) ++count;
    return count;
}

}  // namespace

// Of what is decoded, what comes before any other log's: one event at least.
size_t EventMerger::hand_on(Stream& stream, std::span<Event> to) const {
    const std::span<const Event> ready(&stream.front(),
                                       std::min(to.size(), stream.end - stream.at));
    const size_t count = std::max<size_t>(1, count_before(ready, rival(), before));
    std::copy_n(ready.begin(), count, to.begin());
    stream.at += count;
    return count;
}

// Decodes straight to `to`. Nothing, where another log comes first or this one has ended.
size_t EventMerger::decode_run(Stream& stream, std::span<Event> to, bool& is_over) const {
    const Event* const other = rival();
    // Where some may have to be taken back, no more than there is room for.
    if (other != nullptr) to = to.first(std::min(to.size(), stream.decoded.size()));
    const size_t decoded = stream.cursor.decode(to);
    is_over = decoded == 0;
    const size_t count = count_before(to.first(decoded), other, before);
    stream.take_back(to.subspan(count, decoded - count));
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
