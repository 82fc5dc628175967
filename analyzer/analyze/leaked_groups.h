// Buffers that are live when the trace ends, in classes of equal lives.
//
// A class shares type, creation stack and all counted operations with their stacks. Blame judges
// classes and joins those that it blames alike (leak_findings.cpp). Touches do not count.
#ifndef LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H
#define LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H

#include <cstdint>
#include <map>
#include <vector>

#include "analyze/buffers.h"
#include "analyze/trace_facts.h"

namespace lastref {

// Properties of a set of live lives, of any size.
struct LiveStatistics {
    uint64_t count = 0;
    uint64_t bytes = 0;
    int64_t final_count_min = INT64_MAX, final_count_max = INT64_MIN;
    uint64_t most_unseen = 0;  // largest unexplained step of a true counter
    uint64_t recent = 0;
    uint64_t first_serial = UINT64_MAX, last_serial = 0;  // of their origin
    uint64_t first_type_serial = UINT64_MAX, last_type_serial = 0;
    // By the thread that used them last: the first one's position among all that came to it.
    std::map<uint32_t, uint64_t> first_of_threads;
    uint64_t oldest_ticks = UINT64_MAX;  // creation of the oldest
    uint64_t last_created_at = 0;        // position of the youngest's creation
    uint64_t in_use_late = 0;            // with an event in the last quarter of all events
    uint64_t old = 0;                    // made before that quarter
    uint64_t old_in_use = 0;             // and with an event in it
    uint64_t revisited = 0;              // used by the same code again and again, for long
    uint64_t events = 0;
    uint64_t fewest_events = UINT64_MAX;

    void merge(const LiveStatistics& other);
};

struct LeakedClass {
    Origin origin;
    bool unseen = false;  // the true counter moved without events
    bool young = false;   // in the middle of its life, as far as is known
    LiveStatistics lives;
    SiteCounts sites;
    const BufferLife* example = nullptr;  // the oldest
};

// Pointers into `buffers` stay valid while it is not changed. Order: by origin.
std::vector<LeakedClass> classify_leaked(const Buffers& buffers, const TraceFacts& facts);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LEAKED_GROUPS_H
