// One opened trace to its part of a report: the whole of analysis but the symbols' origin.
#ifndef LASTREF_ANALYZER_ANALYZE_ANALYSIS_H
#define LASTREF_ANALYZER_ANALYZE_ANALYSIS_H

#include <cstdint>
#include <functional>

#include "analyze/findings.h"
#include "analyze/stack_names.h"
#include "analyze/trace_follower.h"
#include "read/trace_file.h"

namespace lastref {

// Called every million events or so with their number.
using EventProgress = std::function<void(uint64_t)>;

// Reads all events, adds the process, its share of the summary and its findings (not sorted).
// `follower`, where not null, follows; where it stops, so does reading, and nothing is added.
void analyze_trace(TraceFile& trace, FrameSource& frames, const EventProgress& progress,
                   Report& report, TraceFollower* follower = nullptr);

// To be called once, after the last trace: the summary's coverage, order and distinct ids.
void complete_report(Report& report);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_ANALYSIS_H
