// A gate's verdict for people: the word, its reasons, what else to know.
#ifndef LASTREF_ANALYZER_REPORT_GATE_TEXT_H
#define LASTREF_ANALYZER_REPORT_GATE_TEXT_H

#include <cstddef>
#include <string>

#include "analyze/findings.h"

namespace lastref {

// Lines that begin with 'leak-gate: ' or two blanks; at most `most` reasons and as many of each
// other list. The report must be a gate's.
std::string gate_text(const Report& report, size_t most);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_GATE_TEXT_H
