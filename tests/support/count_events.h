// How many events a trace holds, as its reader hands them out.
#ifndef LASTREF_TESTS_SUPPORT_COUNT_EVENTS_H
#define LASTREF_TESTS_SUPPORT_COUNT_EVENTS_H

#include <cstdint>

#include "read/event_merger.h"

namespace lastref::testing {

// To be asked once of an opened trace.
inline uint64_t count_events(TraceFile& trace) {
    EventMerger merger(trace);
    uint64_t count = 0;
    while (merger.next() != nullptr) ++count;
    return count;
}

}  // namespace lastref::testing

#endif  // LASTREF_TESTS_SUPPORT_COUNT_EVENTS_H
