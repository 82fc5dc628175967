// Which site keeps leaked buffers alive: the first, cheap answer.
//
// Compares what leaked lives did with what ended lives of the same origin (type and creation
// stack) did. Where no such life ended, the history alone has to do, and the answer is marked
// ambiguous: an extra retain and an unreleased own reference leave the same trace.
#ifndef LASTREF_ANALYZER_ANALYZE_BLAME_H
#define LASTREF_ANALYZER_ANALYZE_BLAME_H

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/findings.h"
#include "analyze/site_statistics.h"
#include "analyze/stack_names.h"

namespace lastref {

struct Blame {
    std::optional<Culprit> culprit;
    std::vector<Culprit> suspects;  // ranked, the culprit first
};

Blame blame_leak(const SiteStatistics& leaked, const SiteStatistics& ended, uint32_t created_stack,
                 StackNames& names);

// The frame that a reader wants to see of a retain, release or create: the innermost one that
// is not a mere wrapper of the reference count (retain, unref, intrusive_ptr_release, ...).
// An empty frame for an empty stack.
Frame telling_frame(const Stack& stack);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BLAME_H
