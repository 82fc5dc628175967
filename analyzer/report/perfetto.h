// A trace for Perfetto (ui.perfetto.dev, trace_processor): TrackEvents of google/perfetto's
// protos/perfetto/trace/trace.proto.
#ifndef LASTREF_ANALYZER_REPORT_PERFETTO_H
#define LASTREF_ANALYZER_REPORT_PERFETTO_H

#include <cstddef>
#include <memory>

#include "report/streamed_report.h"

namespace lastref {

// At most so many lives of a type and process are slices: more would not be seen.
inline constexpr size_t kMostSlices = 5000;

// One process track for each trace, and below it for each type ("heap", "mapping", a buffer's):
//   TYPE bytes, TYPE live   counters: in equal steps, at most 8192, the most that was in each; the
//                           last value is what is live at the end. In a sample: estimates.
//   TYPE: lives             slices, on as many tracks of one name as lives overlap. Where a life
//   goes
//                           on after its end (a pool's buffer, pieces of a mapping), a slice each.
//                           Annotations: address, size, count, "created" (the stack), "ended".
// Where there are more than kMostSlices, those live at the end go first, the oldest first, then
// those that lived longest; the tracks' name and notes() say how many of how many. Times are
// nanoseconds of CLOCK_MONOTONIC. Memory grows with what is live.
std::unique_ptr<StreamedReport> perfetto_report(const StreamTarget& target);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_PERFETTO_H
