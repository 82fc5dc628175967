// One life of a refcounted buffer, and what is known of all lives that were made at one place.
#ifndef LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H
#define LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "analyze/life_history.h"
#include "analyze/site_statistics.h"

namespace lastref {

struct BufferLife {
    // Drawn in buffers.h.
    enum class State : uint8_t { kLive, kEnded, kFreed };

    State state = State::kLive;
    bool memory_freed = false;  // ended, and its memory went back to the allocator
    bool destroyed = false;     // a destroy was seen
    bool judged = false;        // an error of this life was reported: once is enough
    uint32_t type = 0;          // string id
    uint32_t created_stack = 0;
    uint64_t address = 0;
    uint64_t size = 0;
    int64_t count = 1;
    uint64_t unseen = 0;      // steps of the true counter that no event explains
    uint64_t moved_from = 0;  // address before a realloc took the buffer along
    uint64_t created_ticks = 0;
    uint64_t ended_ticks = 0;
    uint32_t ended_thread = 0;
    uint64_t created_at = 0;  // position among all buffer events of the trace
    uint64_t last_event_at = 0;
    uint64_t serial = 0;  // position among the lives of its origin, from 0
    int threads = 1;        // that read its true counter: one, or more
    uint32_t last_thread = 0;
    int64_t gap_seen = 0;   // of the last reading, where it was not believed yet
    LifeHistory history;
    std::unique_ptr<SiteTally> tally;  // once the history is no longer whole

    void remember(const HistoryRecord& record) {
        history.add(record);
        if (tally != nullptr) {
            tally->add(record.site());
        } else if (!history.whole()) [[unlikely]] {
            tally = std::make_unique<SiteTally>();
            for (const HistoryRecord& kept : history.unordered()) tally->add(kept.site());
        }
    }

    SiteCounts sites() const {
        return tally != nullptr ? tally->counts() : count_sites(history.unordered());
    }
};

// Type and creation stack: lives of one origin are peers.
using Origin = std::pair<uint32_t, uint32_t>;

struct OriginStatistics {
    uint64_t created = 0;
    uint64_t ended = 0;
    uint64_t live = 0;
    uint64_t peak_live = 0;
    uint64_t created_at_peak = 0;  // how many had been created when the peak last rose
    uint64_t longest_life = 0;     // ticks, of those that ended
    SiteStatistics ended_sites;

    void count_created() {
        ++created;
        if (++live > peak_live) {
            peak_live = live;
            created_at_peak = created;
        }
    }
    void count_gone() {
        if (live != 0) --live;
    }
};

using Origins = std::map<Origin, OriginStatistics>;

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H
