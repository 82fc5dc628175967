// From trace files to a report: the analyzer's one entry point behind `lastref report`.
#ifndef LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H
#define LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H

#include <span>
#include <string>

#include "analyze/findings.h"
#include "analyze/report_parts.h"
#include "read/result.h"

namespace lastref {

// Reads and judges each trace, several at once where the machine has cores for it. An unreadable
// one is an error for the whole call; damage later in a file becomes a warning of its process, and
// what came before the damage is reported. Findings of all processes come in one list, worst
// first.
Result<Report> build_report(std::span<const std::string> trace_paths, const Options& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H
