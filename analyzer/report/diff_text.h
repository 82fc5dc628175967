// The difference of two reports as text.
#ifndef LASTREF_ANALYZER_REPORT_DIFF_TEXT_H
#define LASTREF_ANALYZER_REPORT_DIFF_TEXT_H

#include <string>

#include "analyze/findings.h"

namespace lastref {

// Findings by id: new, gone, grown, shrunk; then the gauges of both.
std::string render_diff_text(const Report& before, const Report& after);
// The same for programs: schema 'lastref.diff/1'.
std::string render_diff_json(const Report& before, const Report& after);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_DIFF_TEXT_H
