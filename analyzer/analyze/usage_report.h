// How much memory each stack holds and how that went over time: what flame graphs, profiles and
// charts are made of. Plain data, of all traces of a report together.
//
// Kept as a tree of frames, so that a stack costs what it does not share with others. Stacks of
// several traces are one where their frames are the same place of the same module (by build-id and
// offset), wherever it was loaded. Sampled traces: estimates of the whole.
#ifndef LASTREF_ANALYZER_ANALYZE_USAGE_REPORT_H
#define LASTREF_ANALYZER_ANALYZE_USAGE_REPORT_H

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/stack.h"

namespace lastref {

struct UsageAmount {
    double bytes = 0;
    double count = 0;
};

// A frame and the one that called it: an index into UsageReport::nodes, kNoUsageNode at the root.
inline constexpr uint32_t kNoUsageNode = UINT32_MAX;
struct UsageNode {
    uint32_t parent = kNoUsageNode;
    uint32_t frame = 0;  // index into UsageReport::frames
};

// What one stack made of one type.
struct UsageSite {
    uint32_t type = 0;             // index into UsageReport::types
    uint32_t node = kNoUsageNode;  // the innermost frame; kNoUsageNode: no stack is known
    UsageAmount live;              // at the end
    UsageAmount peak;              // when the type used most in its process
    UsageAmount allocated;         // in all
};

// One type in one process over time: in equal steps, each with the most that was used in it.
struct UsageSeries {
    uint64_t process = 0;  // index into Report::processes
    uint32_t type = 0;     // index into UsageReport::types
    uint64_t step_ns = 0;
    std::vector<UsageAmount> most;
    UsageAmount last;  // at the end
    UsageAmount peak;  // bytes: the most at once; count: at that moment
};

struct UsageReport {
    std::vector<std::string> types;  // "heap", "mapping", the buffers' types
    std::vector<Frame> frames;
    std::vector<UsageNode> nodes;  // parents before children
    std::vector<UsageSite> sites;
    std::vector<UsageSeries> series;
    uint64_t start_realtime_ns = 0;  // of the first trace: since 1970
    uint64_t duration_ns = 0;        // of the longest
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_USAGE_REPORT_H
