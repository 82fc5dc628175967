// Why buffers that are live at the end are no leak, as far as the trace shows.
#ifndef LASTREF_ANALYZER_ANALYZE_HELD_H
#define LASTREF_ANALYZER_ANALYZE_HELD_H

#include <string>

#include "analyze/buffer_life.h"
#include "analyze/call_paths.h"
#include "analyze/findings.h"
#include "analyze/leaked_groups.h"
#include "analyze/trace_facts.h"

namespace lastref {

struct Held {
    Cause cause = Cause::kUnknown;  // kUnknown: it is one
    std::string reason;
};

// For lives made at one place: `site` counts all that were made there, `origin` is set where they
// have one creation stack, `type` counts all of their type.
Held why_held(const LiveStatistics& lives, const Population& site, const Population* origin,
              const TypeStatistics& type, uint64_t buffer_events, const TraceFacts& facts);

Held held_as_unseen(const LiveStatistics& lives);
// For a hooked type: `unseen` names the operations that are not seen.
Held held_as_partial(const std::string& unseen);
// Made below `keeper`, a function of a library: see keeper_of().
Held held_by_library(const std::string& keeper);
Held held_in_flight(const LiveStatistics& lives, const Population& type, const TraceFacts& facts);

// The function on a path that keeps what is made below it for the life of the process, as GLib's
// classes and GStreamer's registry do; empty if there is none.
std::string keeper_of(const CallPaths& paths, PathId created);

// Lives that are still in use however old they are, or wait for their turn, or are drawn to go at
// any age, more and more of them: their holder grows.
bool is_growth(const LiveStatistics& lives, const TypeStatistics& type, uint64_t buffer_events);
// True where too few such lives ended (`peers`) to decide whether a holder drops some and keeps the
// others, or the others' release is missing.
bool may_be_growth(const LiveStatistics& lives, uint64_t peers, const TypeStatistics& type);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_HELD_H
