// How often one life did each operation at each stack.
#ifndef LASTREF_ANALYZER_ANALYZE_SITE_COUNTS_H
#define LASTREF_ANALYZER_ANALYZE_SITE_COUNTS_H

#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/life_history.h"

namespace lastref {

constexpr trace::Op site_op(uint64_t site) {
    return static_cast<trace::Op>(site >> 32);
}
constexpr uint32_t site_stack(uint64_t site) {
    return static_cast<uint32_t>(site);
}

// Sites (HistoryRecord::site()) with how often each occurred, sorted by site.
using SiteCounts = std::vector<std::pair<uint64_t, uint32_t>>;

// Counts sites as they come, for lives too long to keep whole. At most kMost different ones:
// in a life with more the rest are ignored.
class SiteTally {
public:
    static constexpr size_t kMost = 256;
    void add(uint64_t site);
    SiteCounts counts() const;
    uint64_t events() const;  // the sum of counts()

private:
    SiteCounts sites_;
};

SiteCounts count_sites(const std::vector<HistoryRecord>& records);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_SITE_COUNTS_H
