// From followed lives to findings.
//
// Called once per trace, after its last event. Adds to the report's findings and summary. What
// each kind means is in findings.h; the wording of explanations is decided here and in blame.
#ifndef LASTREF_ANALYZER_ANALYZE_GROUPING_H
#define LASTREF_ANALYZER_ANALYZE_GROUPING_H

#include <vector>

#include "analyze/findings.h"
#include "analyze/lifecycle.h"
#include "analyze/stack_names.h"
#include "analyze/trace_facts.h"
#include "read/trace_file.h"

namespace lastref {

// Of heap and mapping leaks, this many groups per process get a finding of their own; the
// smallest of a process with more are one finding together.
inline constexpr size_t kMostMemoryFindings = 2000;

void add_findings(const Lifecycle& lifecycle, const TraceFacts& facts, TraceFile& trace,
                  StackNames& names, Report& report);

// Worst first: errors and refcount leaks by certainty, then size; failures; heap; mappings; held.
void sort_findings(std::vector<Finding>& findings);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_GROUPING_H
