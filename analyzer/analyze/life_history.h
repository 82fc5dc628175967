// The events of one life, compactly: all of a usual one, both ends of an endless one.
#ifndef LASTREF_ANALYZER_ANALYZE_LIFE_HISTORY_H
#define LASTREF_ANALYZER_ANALYZE_LIFE_HISTORY_H

#include <algorithm>
#include <cstdint>
#include <vector>

#include "read/event.h"

namespace lastref {

struct HistoryRecord {
    uint64_t ticks = 0;
    uint32_t stack = 0;
    uint32_t thread : 24 = 0;
    uint32_t op : 8 = 0;  // trace::Op
    int32_t count = 0;    // after the event
    uint32_t string = 0;  // hint of a touch

    trace::Op operation() const { return static_cast<trace::Op>(op); }
    // What counts as the same thing done in two lives.
    uint64_t site() const { return uint64_t{op} << 32 | stack; }
};
static_assert(sizeof(HistoryRecord) == 24);

inline HistoryRecord make_record(const Event& event, int64_t count) {
    HistoryRecord record;
    record.ticks = event.ticks;
    record.stack = event.stack;
    record.thread = event.thread & 0xffffff;
    record.op = static_cast<uint8_t>(event.op);
    record.count = static_cast<int32_t>(std::clamp<int64_t>(count, INT32_MIN, INT32_MAX));
    record.string = event.string;
    return record;
}

// Keeps the first kEnd and the last kEnd events.
class LifeHistory {
public:
    static constexpr size_t kEnd = 256;
    static constexpr size_t kUsual = 4;  // events that even a short life has: room from the start

    void add(const HistoryRecord& record) {
        if (records_.empty()) records_.reserve(kUsual);
        if (records_.size() < 2 * kEnd) {
            records_.push_back(record);
        } else {
            records_[kEnd + (total_ - kEnd) % kEnd] = record;
        }
        ++total_;
    }

    bool whole() const { return total_ == records_.size(); }
    uint64_t left_out() const { return total_ - records_.size(); }
    const std::vector<HistoryRecord>& unordered() const { return records_; }

    // Oldest first.
    std::vector<HistoryRecord> in_order() const {
        std::vector<HistoryRecord> ordered = records_;
        if (!whole()) {
            const auto last = ordered.begin() + kEnd;
            std::rotate(last, last + static_cast<std::ptrdiff_t>(total_ % kEnd), ordered.end());
        }
        return ordered;
    }

private:
    std::vector<HistoryRecord> records_;
    uint64_t total_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LIFE_HISTORY_H
