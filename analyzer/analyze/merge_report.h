// Parts of a report, each made from one trace, into one: as if the traces had been read one after
// the other into it.
#ifndef LASTREF_ANALYZER_ANALYZE_MERGE_REPORT_H
#define LASTREF_ANALYZER_ANALYZE_MERGE_REPORT_H

#include "analyze/findings.h"
#include "analyze/usage_builder.h"

namespace lastref {

// Appends what analyze_trace put into `part`, before complete_report. `usage` builds the usage of
// `into`; null where the parts have none.
void merge_report(Report& into, Report&& part, UsageBuilder* usage);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MERGE_REPORT_H
