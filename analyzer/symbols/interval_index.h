// Which of many address ranges holds an address: the innermost one, in logarithmic time.
//
// Ranges may nest or overlap; where they do, the one that begins last owns the bytes, and of two
// that begin together the shorter, then the one added later. Fill with add(), then seal() once.
#ifndef LASTREF_ANALYZER_SYMBOLS_INTERVAL_INDEX_H
#define LASTREF_ANALYZER_SYMBOLS_INTERVAL_INDEX_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lastref {

template <typename Value>
class IntervalIndex {
public:
    void add(uint64_t begin, uint64_t end, Value value) {
        if (begin < end) segments_.push_back({begin, end, value});
    }

    // Cuts the ranges into disjoint segments, each owned by its innermost range.
    void seal() {
        std::vector<Segment> ranges = std::move(segments_);
        segments_.clear();
        std::stable_sort(ranges.begin(), ranges.end(), [](const Segment& a, const Segment& b) {
            return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
        });
        segments_.reserve(ranges.size());
        std::vector<Segment> open;  // ranges around `cursor`, the innermost last
        uint64_t cursor = 0;
        auto close_until = [&](uint64_t address) {
            while (!open.empty() && open.back().end <= address) {
                emit(cursor, open.back().end, open.back().value);
                cursor = std::max(cursor, open.back().end);
                open.pop_back();
            }
        };
        for (const Segment& range : ranges) {
            close_until(range.begin);
            if (!open.empty()) emit(cursor, range.begin, open.back().value);
            cursor = range.begin;
            open.push_back(range);
        }
        close_until(UINT64_MAX);
    }

    // Null where no range holds `address`. Valid until the index is changed.
    const Value* find(uint64_t address) const {
        auto after = std::upper_bound(
            segments_.begin(), segments_.end(), address,
            [](uint64_t wanted, const Segment& segment) { return wanted < segment.begin; });
        if (after == segments_.begin()) return nullptr;
        const Segment& segment = *std::prev(after);
        return address < segment.end ? &segment.value : nullptr;
    }

    bool empty() const { return segments_.empty(); }

private:
    struct Segment {
        uint64_t begin, end;
        Value value;
    };

    void emit(uint64_t begin, uint64_t end, const Value& value) {
        if (begin < end) segments_.push_back({begin, end, value});
    }

    std::vector<Segment> segments_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_INTERVAL_INDEX_H
