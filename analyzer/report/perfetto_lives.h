// Which lives of a trace become Perfetto's slices, and on which track of their type each is drawn.
#ifndef LASTREF_ANALYZER_REPORT_PERFETTO_LIVES_H
#define LASTREF_ANALYZER_REPORT_PERFETTO_LIVES_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyze/trace_follower.h"

namespace lastref {

struct LifeSlice {
    FollowedLife life;
    uint64_t begin_ticks = 0, end_ticks = 0;
    bool is_live = false;  // at the end of the trace
    uint32_t lane = 0;     // from 0; slices of one lane do not overlap
};

// The `most` slices of each type that matter most: live at the end, the oldest first, then the
// longest.
class PerfettoLives {
public:
    explicit PerfettoLives(size_t most) : most_(most) {}

    void begins(const FollowedLife& life, uint64_t ticks);
    void changes(const FollowedLife& life);
    void ends(const FollowedLife& life, uint64_t ticks);

    struct OfType {
        std::vector<LifeSlice> slices;  // by begin
        uint64_t all = 0;               // how many there were
        uint32_t lanes = 0;
    };
    // To be called once, at the end.
    std::map<uint32_t, OfType> finish(uint64_t last_ticks);

private:
    // Pieces of one mapping share their number; their addresses are even, numbers made odd.
    static uint64_t key_of(const FollowedLife& life) {
        return life.type == FollowedLife::kMapping ? life.address : life.number << 1 | 1;
    }

    const size_t most_;
    std::unordered_map<uint64_t, LifeSlice> live_;
    std::map<uint32_t, OfType> types_;  // the slices that ended: a heap, the shortest on top
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_PERFETTO_LIVES_H
