// What a ring dropped, in words: for the commands that show a trace as it is.
#ifndef LASTREF_ANALYZER_COMMAND_RING_CUT_H
#define LASTREF_ANALYZER_COMMAND_RING_CUT_H

#include <fmt/format.h>

#include <string>

#include "read/trace_file.h"
#include "report/units.h"

namespace lastref {

// "64 chunks of events dropped, what began before 0.093795 s is not reported"; empty: nothing dropped.
inline std::string ring_cut(const TraceFile& trace) {
    const trace::TraceHeader& header = trace.header();
    if (header.cut_chunks == 0) return "";
    return fmt::format("{} of events dropped, what began before {:.6f} s is not reported",
                       counted(header.cut_chunks, "chunk"),
                       static_cast<double>(trace.to_ns(header.cut_ticks)) / 1e9);
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RING_CUT_H
