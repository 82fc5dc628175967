// One life of a refcounted buffer, and what is known of all lives that were made at one place.
#ifndef LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H
#define LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "analyze/life_history.h"
#include "analyze/life_signature.h"
#include "analyze/site_counts.h"
#include "analyze/trace_follower.h"

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
    uint64_t serial = 0;          // position among the lives of its origin, from 0
    uint64_t type_serial = 0;     // and among those of its type
    uint32_t used_by = 0;         // thread of its last event
    uint64_t used_by_serial = 0;  // position among the lives of its type that came to that thread
    SignatureHash signature;
    uint64_t ended_signature = 0;  // as it was when the life ended
    int threads = 1;               // that read its true counter: one, or more
    uint32_t last_thread = 0;
    int64_t gap_seen = 0;      // of the last reading, where it was not believed yet
    bool counted_out = false;  // its last operation took its true counter to zero
    LifeHistory history;
    uint64_t number = 0;               // its follower's
    std::unique_ptr<SiteTally> tally;  // once the history is no longer whole

    FollowedLife followed() const {
        return {type, created_stack, address, size, created_ticks, count, number};
    }

    void remember(const HistoryRecord& record) {
        history.add(record);
        signature.add(record);
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
    // Those of sites().
    uint64_t counted_events() const {
        return tally != nullptr ? tally->events() : history.unordered().size();
    }
};

// Type and creation stack: lives of one origin are peers.
using Origin = std::pair<uint32_t, uint32_t>;

// How the number of live ones went, of lives that have something in common.
struct Population {
    uint64_t created = 0;
    uint64_t ended = 0;
    uint64_t live = 0;
    uint64_t peak_live = 0;
    // The peak when as many had been created as the largest power of two so far, and half of that.
    uint64_t peak_at_power = 0, peak_at_half = 0;
    uint64_t longest_life = 0;   // ticks, of those that ended
    uint64_t last_ended_at = 0;  // how many had been created when the last one ended

    void count_created() {
        ++created;
        peak_live = std::max(peak_live, ++live);
        if (std::has_single_bit(created)) {
            peak_at_half = peak_at_power;
            peak_at_power = peak_live;
        }
    }
    void count_ended(uint64_t age) {
        ++ended;
        longest_life = std::max(longest_life, age);
        last_ended_at = created;
        count_gone();
    }
    void count_gone() {
        if (live != 0) --live;
    }
    // True if the peak has hardly risen since about a half of all were created.
    bool stood_still() const {
        if (created < 2) return false;
        return peak_live <= peak_at_half + peak_at_half / 4;
    }
    void revive() {
        --ended;
        ++live;
    }
};

struct OriginStatistics : Population {
    Signatures ended_lives;
};

// In which order one thread ended lives, of those of one type, by the order in which they were
// made.
struct EndOrder {
    uint64_t ended = 0;
    uint64_t oldest = UINT64_MAX, newest = 0;  // serials
    uint64_t behind = 0;                       // the newest that had ended before them: sum
    double made_since = 0;                     // as shares of all that were made so far: sum

    void add(uint64_t serial, uint64_t created) {
        ++ended;
        oldest = std::min(oldest, serial);
        newest = std::max(newest, serial);
        behind += newest - serial;
        made_since += static_cast<double>(created - serial - 1) / static_cast<double>(created);
    }
};

struct ThreadPopulation : Population {
    EndOrder ends;              // by this thread
    uint64_t last_change = 0;   // ticks: when it grew last, or one of it ended
    uint64_t newest_ended = 0;  // how many had come to it with the newest of those that ended
};

struct TypeStatistics : Population {
    // The lives that each thread was the last to use, of the first threads; 'created' are those
    // that came to it.
    static constexpr size_t kMostThreads = 256;
    std::map<uint32_t, ThreadPopulation> threads;
    ThreadPopulation* of_thread(uint32_t thread) {
        if (const auto found = threads.find(thread); found != threads.end()) return &found->second;
        return threads.size() < kMostThreads ? &threads[thread] : nullptr;
    }

    uint64_t unseen = 0;    // lives whose true counter moved without an event
    uint64_t replaced = 0;  // another life began at the address of a live one: its end was unseen
    // Stacks that freed the memory of lives that had ended, the first ones.
    static constexpr size_t kMostFrees = 64;
    std::map<uint32_t, uint64_t> usual_frees;
    void count_free(uint32_t stack) {
        if (usual_frees.size() < kMostFrees || usual_frees.contains(stack)) ++usual_frees[stack];
    }
};

using Origins = std::map<Origin, OriginStatistics>;
using Types = std::map<uint32_t, TypeStatistics>;  // by string id

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BUFFER_LIFE_H
