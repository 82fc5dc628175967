// Writes a format that follows the traces while they are read (report/streamed_report.h).
#ifndef LASTREF_ANALYZER_COMMAND_STREAMED_OUTPUT_H
#define LASTREF_ANALYZER_COMMAND_STREAMED_OUTPUT_H

#include <functional>
#include <string>

#include "analyze/findings.h"
#include "analyze/trace_follower.h"
#include "report/formats.h"

namespace lastref {

// `path`: empty for standard output. `read` has the traces read, notifying the follower, and
// returns the report of the same processes in the same order; null where there is none, which ends
// this with nothing written and no failure.
//
// Returns why the file could not be written, with its name; empty where it was. Omissions are
// reported on stderr.
std::string write_streamed(const Format& format, const std::string& path,
                           const std::function<const Report*(TraceFollower&)>& read);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_STREAMED_OUTPUT_H
