// Adds up memory by type and creation stack while one trace's events go by.
//
// Memory grows with the number of (type, stack) pairs, not of events.
//
// What each stack held at its type's peak is kept without a copy at every new peak: a site saves
// its amount when it first changes after the newest peak; one that did not change still has it.
#ifndef LASTREF_ANALYZER_ANALYZE_USAGE_H
#define LASTREF_ANALYZER_ANALYZE_USAGE_H

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyze/estimate.h"
#include "analyze/trace_follower.h"
#include "analyze/usage_report.h"

namespace lastref {

class Usage {
public:
    static constexpr uint32_t kHeap = FollowedLife::kHeap, kMapping = FollowedLife::kMapping;
    static constexpr size_t kMostSteps = 512;

    struct Site {
        UsageAmount live, peak, allocated;
        uint64_t peaks_seen = 0;  // TypeUsage::peaks when `peak` was saved
    };
    struct TypeUsage {
        UsageAmount live, peak;
        uint64_t peaks = 0;
        std::vector<UsageAmount> most;             // by step
        std::unordered_map<uint32_t, Site> sites;  // by stack id
    };

    // `most_steps`: the length of TypeUsage::most at most.
    Usage(const Sampling& sampling, uint64_t first_ticks, size_t most_steps = kMostSteps)
        : sampling_(sampling),
          first_ticks_(first_ticks),
          most_steps_(most_steps),
          now_(first_ticks) {}

    // The time of the begins and ends that follow.
    void set_time(uint64_t ticks) {
        if (ticks > now_) now_ = ticks;
    }
    // `anew` is false where a life goes on that had been recorded as ended.
    void begins(uint32_t type, uint32_t stack, uint64_t size, bool anew = true);
    void ends(uint32_t type, uint32_t stack, uint64_t size);
    // To be called once, after the last event.
    void finish();

    const std::unordered_map<uint32_t, TypeUsage>& types() const { return types_; }
    uint64_t step_ticks() const { return step_; }

private:
    double weight(uint32_t type, uint64_t size) const;
    void change(TypeUsage& type, Site& site, double count, double bytes);
    void note_time(TypeUsage& type);
    void widen_steps();

    const Sampling sampling_;
    const uint64_t first_ticks_;
    const size_t most_steps_;
    uint64_t now_;
    uint64_t step_ = 1024;  // ticks
    std::unordered_map<uint32_t, TypeUsage> types_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_USAGE_H
