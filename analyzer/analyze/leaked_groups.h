// Buffers that are live when the trace ends, grouped: one group becomes one finding.
//
// A group shares type, creation stack and the set of places that retained, released or moved its
// lives. How often each place did so, and in which order threads came, may differ: a loop that
// retains n times makes one group, not one per n. Touches do not count.
#ifndef LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H
#define LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/buffers.h"
#include "analyze/findings.h"
#include "analyze/site_statistics.h"
#include "analyze/trace_facts.h"

namespace lastref {

struct LeakedGroup {
    Origin origin;
    uint64_t count = 0;
    uint64_t bytes = 0;
    int64_t final_count_min = 0, final_count_max = 0;
    uint64_t most_unseen = 0;  // largest unexplained step of a true counter
    uint64_t recent = 0;
    uint64_t first_serial = 0, last_serial = 0;
    uint64_t oldest_ticks = 0;     // creation of the oldest
    uint64_t last_created_at = 0;  // position of the youngest's creation
    uint64_t in_use_late = 0;      // lives with an event in the last quarter of all events
    uint64_t fewest_events = 0;
    SiteStatistics sites;
    const BufferLife* example = nullptr;  // the oldest
};

// Pointers into `buffers` stay valid while it is not changed. Order: by origin.
std::vector<LeakedGroup> group_leaked(const Buffers& buffers, const TraceFacts& facts);

// Why a group is no leak, as far as the trace tells.
struct Held {
    Cause cause = Cause::kUnknown;  // kUnknown: it is one
    std::string reason;
};
Held why_held(const LeakedGroup& group, const OriginStatistics& origin, uint64_t buffer_events,
              const TraceFacts& facts);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H
