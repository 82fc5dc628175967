// The HTML report's data as JSON: the JSON report with each frame written once, source
// lines, and memory by stack and over time, cut to what can be seen.
#ifndef LASTREF_ANALYZER_REPORT_HTML_DATA_H
#define LASTREF_ANALYZER_REPORT_HTML_DATA_H

#include <cstddef>
#include <string>

#include "analyze/findings.h"

namespace lastref {

// { "report": as lastref.report/1, each FRAME an index into "frames",
//   "frames": [ [function, file, line, module, build_id, offset, inlined: 0 or 1] ], their texts
//             indices into "names", "names": [text],
//   "sources": { "file:line": { "first": line, "lines": [text] } },
//   "usage": { "types": [name],
//              "series": [ { "type", "process", "step_ns", "peak_bytes", "bytes", "count" } ],
//              "trees": [ { "type", "tree": [frame, [live, peak, allocated], [tree]] } ] } }
// Can stand in a <script>: no '<' is in it.
std::string html_data(const Report& report, size_t top);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_HTML_DATA_H
