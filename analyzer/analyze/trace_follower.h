// Follows a trace while it is analysed: notified of each event, and of each begin and end of a life
// as Heap, Mappings and Buffers see them, so that profiles, exports and findings agree on what a
// life is.
#ifndef LASTREF_ANALYZER_ANALYZE_TRACE_FOLLOWER_H
#define LASTREF_ANALYZER_ANALYZE_TRACE_FOLLOWER_H

#include <cstdint>

#include "read/event.h"

namespace lastref {

class StackNames;
class TraceFile;

struct FollowedLife {
    // Beside the buffers' types, which are string ids of the trace.
    static constexpr uint32_t kHeap = UINT32_MAX, kMapping = UINT32_MAX - 1;

    uint32_t type = 0;
    uint32_t stack = 0;  // that made it
    uint64_t address = 0;
    uint64_t size = 0;
    uint64_t begin_ticks = 0;
    int64_t count = 0;    // references, of a refcounted buffer
    uint64_t number = 0;  // what begins() returned for it
};

class TraceFollower {
public:
    TraceFollower() = default;
    TraceFollower(const TraceFollower&) = delete;
    TraceFollower& operator=(const TraceFollower&) = delete;
    virtual ~TraceFollower() = default;

    // One trace after the other. Both references are valid until trace_ends().
    virtual void trace_begins(TraceFile&, StackNames&) {}
    virtual void trace_ends(uint64_t /*last_ticks*/) {}

    // Called before the begins and ends that follow from the event.
    virtual void event(const Event&) {}
    // Returns a number of the follower's own choice, which comes with the life from then on.
    virtual uint64_t begins(const FollowedLife& life) = 0;
    virtual void ends(const FollowedLife& life) = 0;
    // One that ended, and did not after all. A mapping of which a part is unmapped ends as a whole,
    // and each piece that stays goes on; pieces share their number.
    virtual void goes_on(const FollowedLife& life) = 0;
    // The event is one of this refcounted buffer's life: its count and address are those after it.
    virtual void concerns(const FollowedLife&) {}

    // True where it looks at the trace's strings before trace_ends(): they change as the trace is
    // read, so nothing may read ahead.
    virtual bool reads_strings() const { return false; }
    // True where no more events are needed: reading may stop.
    virtual bool stopped() const { return false; }
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_TRACE_FOLLOWER_H
