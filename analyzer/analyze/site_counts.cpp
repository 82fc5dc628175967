#include "analyze/site_counts.h"

#include <algorithm>

namespace lastref {

void SiteTally::add(uint64_t site) {
    const auto found = std::find_if(sites_.begin(), sites_.end(),
                                    [site](const auto& entry) { return entry.first == site; });
    if (found != sites_.end()) {
        if (found->second != UINT32_MAX) ++found->second;
        // The sites of a loop come to the front.
        if (found != sites_.begin()) std::iter_swap(found, found - 1);
    } else if (sites_.size() < kMost) {
        sites_.emplace_back(site, 1);
    }
}

SiteCounts SiteTally::counts() const {
    SiteCounts sorted = sites_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

uint64_t SiteTally::events() const {
    uint64_t sum = 0;
    for (const auto& [site, times] : sites_) sum += times;
    return sum;
}

SiteCounts count_sites(const std::vector<HistoryRecord>& records) {
    SiteCounts counts;
    counts.reserve(records.size());
    for (const HistoryRecord& record : records) counts.emplace_back(record.site(), 1);
    std::sort(counts.begin(), counts.end());
    size_t kept = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
        if (kept != 0 && counts[kept - 1].first == counts[i].first) {
            ++counts[kept - 1].second;
        } else {
            counts[kept++] = counts[i];
        }
    }
    counts.resize(kept);
    counts.shrink_to_fit();
    return counts;
}

}  // namespace lastref
