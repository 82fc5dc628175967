// The report for people: verdicts first, the evidence under each, totals at the end.
#ifndef LASTREF_ANALYZER_REPORT_TEXT_H
#define LASTREF_ANALYZER_REPORT_TEXT_H

#include <cstddef>
#include <string>

#include "analyze/findings.h"

namespace lastref {

inline constexpr size_t kTextTop = 20;  // findings shown by default

// Reasons why the record is incomplete come before any verdict. `top` findings are shown.
std::string render_text(const Report& report, size_t top = kTextTop);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_TEXT_H
