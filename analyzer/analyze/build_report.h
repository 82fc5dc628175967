// From trace files to a report: the analyzer's one entry point behind `lastref report`.
#ifndef LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H
#define LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyze/findings.h"
#include "analyze/trace_follower.h"
#include "read/result.h"
#include "symbols/symbol_places.h"

namespace lastref {

struct Options {
    // Called now and then with the share of the work done, 0 to 1, for a progress line.
    std::function<void(double)> progress;
    // Where set, traces that can't be read are told here and the others reported.
    std::vector<Error>* unreadable = nullptr;
    SymbolPlaces symbols;
    bool usage = false;  // also Report::usage, which not every format shows
    // What follows the traces, instead of that; see analyze_trace().
    TraceFollower* follower = nullptr;
};

// Reads and judges each trace. An unreadable one is an error for the whole call; damage later in
// a file becomes a warning of its process, and what came before the damage is reported.
// Findings of all processes come in one list, worst first.
Result<Report> build_report(std::span<const std::string> trace_paths, const Options& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BUILD_REPORT_H
