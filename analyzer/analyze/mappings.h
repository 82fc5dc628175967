// The lives of memory mappings, as intervals of addresses.
//
//         mmap                    munmap of a part
//   none ───────▶ mapped ──────────────────────────▶ mapped (one or two pieces)
//                 │ │ ▲ munmap-failed, mremap failed: the pieces come back
//                 │ │ └──────────────── unmapped
//                 │ │ munmap, mremap begins, mmap over it (MAP_FIXED) ▲
//                 │ └─────────────────────────────────────────────────┘
//                 │ mremap completes: mapped elsewhere, made by the same stack
//                 └──────────────▶
//
// Pieces of one mapping share its serial and count as one.
#ifndef LASTREF_ANALYZER_ANALYZE_MAPPINGS_H
#define LASTREF_ANALYZER_ANALYZE_MAPPINGS_H

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyze/stack_counters.h"
#include "analyze/trace_follower.h"
#include "read/event.h"

namespace lastref {

struct Mapping {
    uint64_t begin = 0;
    uint64_t end = 0;  // one past the last byte
    uint64_t ticks = 0;
    uint64_t serial = 0;
    uint32_t stack = 0;
    uint32_t thread = 0;
    uint64_t number = 0;  // its follower's
};

struct MappingTotals {
    uint64_t made = 0;
    uint64_t unmapped = 0;  // calls that removed something known
    uint64_t live_bytes = 0;
    uint64_t peak_bytes = 0;
};

class Mappings {
public:
    // `follower` is notified of every begin and end from here on, and must outlive this.
    void report_to(TraceFollower* follower) { follower_ = follower; }

    void map(const Event& event);
    // munmap, and the old range of mremap.
    void unmap(const Event& event);
    // The last unmap() of the same log did nothing.
    void unmap_failed(uint32_t log);
    // The new range of a mremap that unmap() began.
    void remap(const Event& event);

    const MappingTotals& totals() const { return totals_; }
    uint64_t made_at(uint32_t stack) const { return made_by_stack_[stack]; }
    template <typename Visit>
    void for_each_live(Visit&& visit) const {
        for (const auto& [begin, mapping] : live_) visit(mapping);
    }

private:
    std::vector<Mapping> cut(uint64_t address, uint64_t size);
    void insert(Mapping mapping, bool anew);

    std::map<uint64_t, Mapping> live_;                            // by begin, not overlapping
    std::unordered_map<uint32_t, std::vector<Mapping>> removed_;  // by log: the last unmap's
    StackCounters made_by_stack_;
    MappingTotals totals_;
    TraceFollower* follower_ = nullptr;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MAPPINGS_H
