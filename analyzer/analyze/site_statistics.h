// How often lives of one kind do something at one place: what blame compares.
//
// A site is an op with its stack. Statistics of ended lives are all that is kept of them.
#ifndef LASTREF_ANALYZER_ANALYZE_SITE_STATISTICS_H
#define LASTREF_ANALYZER_ANALYZE_SITE_STATISTICS_H

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/life_history.h"

namespace lastref {

constexpr uint64_t site_of(trace::Op op, uint32_t stack) {
    return uint64_t{static_cast<uint8_t>(op)} << 32 | stack;
}
constexpr trace::Op site_op(uint64_t site) {
    return static_cast<trace::Op>(site >> 32);
}
constexpr uint32_t site_stack(uint64_t site) {
    return static_cast<uint32_t>(site);
}

// Sites of one life with how often each occurred, sorted by site.
using SiteCounts = std::vector<std::pair<uint64_t, uint32_t>>;

// Counts sites as they come, for lives too long to keep whole. At most kMost different ones:
// a life with more is not told apart by the rest.
class SiteTally {
public:
    static constexpr size_t kMost = 256;
    void add(uint64_t site);
    SiteCounts counts() const;

private:
    SiteCounts sites_;
};

SiteCounts count_sites(const std::vector<HistoryRecord>& records);

class SiteStatistics {
public:
    // Lives in which a site occurred once, twice, ..., kMost times or more.
    static constexpr size_t kMost = 4;
    struct Site {
        std::array<uint64_t, kMost> lives{};
        uint64_t total = 0;
        uint64_t lives_with_at_least(size_t times) const;
    };

    void add_life(const SiteCounts& counts);
    void merge(const SiteStatistics& other);

    uint64_t lives() const { return lives_; }
    const std::unordered_map<uint64_t, Site>& sites() const { return sites_; }
    const Site& site(uint64_t site) const;

private:
    uint64_t lives_ = 0;
    std::unordered_map<uint64_t, Site> sites_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_SITE_STATISTICS_H
