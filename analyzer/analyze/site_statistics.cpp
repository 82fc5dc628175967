#include "analyze/site_statistics.h"

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
    return counts;
}

uint64_t SiteStatistics::Site::lives_with_at_least(size_t times) const {
    uint64_t sum = 0;
    for (size_t i = std::clamp<size_t>(times, 1, kMost) - 1; i < kMost; ++i) sum += lives[i];
    return sum;
}

void SiteStatistics::add_life(const SiteCounts& counts) {
    ++lives_;
    for (const auto& [site, times] : counts) {
        Site& entry = sites_[site];
        ++entry.lives[std::min<size_t>(times, kMost) - 1];
        entry.total += times;
    }
}

void SiteStatistics::merge(const SiteStatistics& other) {
    lives_ += other.lives_;
    for (const auto& [key, from] : other.sites_) {
        Site& entry = sites_[key];
        for (size_t i = 0; i < kMost; ++i) entry.lives[i] += from.lives[i];
        entry.total += from.total;
    }
}

const SiteStatistics::Site& SiteStatistics::site(uint64_t site) const {
    static const Site none;
    const auto found = sites_.find(site);
    return found != sites_.end() ? found->second : none;
}

}  // namespace lastref
