#include "read/log_cursor.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace lastref {

LogCursor::LogCursor(const ByteSource& bytes, const Log& log, const StackNodes& stacks,
                     StringPool& strings, DamageList& damage)
    : bytes_(bytes), log_(log), damage_(damage), decoder_(strings) {
    state_.stack_ids = &stacks.ids();
}

size_t LogCursor::decode(std::span<Event> to) {
    size_t count = 0;
    while (count < to.size()) {
        if (at_ >= refill_at_ && !more()) break;
        count += decode_common_records(to.subspan(count));
        if (count < to.size() && at_ < refill_at_ && decode_record(to[count])) ++count;
    }
    return count;
}

// Until one is of another kind, or the window holds no more whole ones.
size_t LogCursor::decode_common_records(std::span<Event> to) {
    // Copies that the compiler knows no event to overlap.
    Deltas deltas = state_;
    const uint8_t* at = at_;
    size_t count = 0;
    for (; count < to.size() && at < refill_at_; ++count) {
        Event& event = to[count];
        const uint8_t* const next = decode_common(at, end_, deltas, event);
        if (next == nullptr) break;
        at = next;
        event.stack = state_.known_stack(event.stack);
        event.thread = state_.thread;
        event.log = log_.id;
    }
    static_cast<Deltas&>(state_) = deltas;
    at_ = at;
    return count;
}

// False where the record was no event: a definition, or damage.
bool LogCursor::decode_record(Event& event) {
    const uint8_t* const next = decoder_.decode(at_, end_, state_, event);
    if (next == nullptr || next > end_) [[unlikely]] {
        give_up_chunk(next == nullptr ? "impossible record" : "record cut off");
        return false;
    }
    at_ = next;
    if (event.op == trace::Op::kString || event.op == trace::Op::kThread) {
        take_definition(event);
        return false;
    }
    event.log = log_.id;
    return true;
}

// Called where less than a whole record may be in the window.
bool LogCursor::more() {
    if (file_at_ < file_end_) fill();
    while (at_ >= end_) {
        if (!next_chunk()) return false;
    }
    // With nothing left to read, the window is decoded to its end.
    refill_at_ = file_at_ < file_end_ ? end_ - trace::kMaxRecordSize : end_;
    return true;
}

bool LogCursor::next_chunk() {
    at_ = end_ = refill_at_ = window_.get();
    if (chunk_ >= log_.chunks.size()) {
        window_.reset();
        window_size_ = 0;
        at_ = end_ = refill_at_ = nullptr;
        return false;
    }
    const Chunk& chunk = log_.chunks[chunk_++];
    if (chunk.base_ticks < state_.ticks) {
        // Times of a log never fall; keeping to that keeps the merge in order.
        damage_.add(chunk.offset, "chunk begins before the one before it ended");
    }
    state_.ticks = std::max(state_.ticks, chunk.base_ticks);
    state_.address = chunk.base_address;
    state_.stack = 0;
    state_.thread = chunk.thread;
    state_.strings.clear();
    file_at_ = chunk.offset;
    file_end_ = chunk.offset + chunk.committed;

    const size_t wanted = std::min<size_t>(chunk.committed, kWindow);
    if (wanted > window_size_ || window_ == nullptr) {
        window_ = std::make_unique<uint8_t[]>(wanted + kDecodePadding);
        window_size_ = wanted;
    }
    at_ = end_ = window_.get();
    fill();
    return true;
}

// Moves what is left to the window's start and reads on behind it.
void LogCursor::fill() {
    const auto left = static_cast<size_t>(end_ - at_);
    uint8_t* const window = window_.get();
    if (left != 0) std::memmove(window, at_, left);
    const auto wanted =
        static_cast<size_t>(std::min<uint64_t>(window_size_ - left, file_end_ - file_at_));
    const size_t got = bytes_.read(file_at_, window + left, wanted);
    file_at_ += got;
    if (got < wanted) {
        damage_.add(file_at_, "the trace cannot be read on from here");
        file_end_ = file_at_;
    }
    at_ = window;
    end_ = window + left + got;
    // Defined bytes for a decoder that runs over the end.
    std::memset(window + left + got, 0, kDecodePadding);
}

void LogCursor::give_up_chunk(const char* why) {
    damage_.add(file_at_ - static_cast<uint64_t>(end_ - at_),
                std::string(why) + " in log " + std::to_string(log_.id) +
                    "; the rest of its chunk is skipped");
    at_ = refill_at_ = end_;
    file_at_ = file_end_;
}

void LogCursor::take_definition(const Event& event) {
    if (event.op == trace::Op::kString) {
        state_.strings.push_back(event.string);
    } else {
        state_.thread = event.detail;
    }
}

}  // namespace lastref
