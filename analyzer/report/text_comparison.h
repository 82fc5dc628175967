// Two lives side by side, newest event first: one that went wrong, and the most similar of those
// that did not.
#ifndef LASTREF_ANALYZER_REPORT_TEXT_COMPARISON_H
#define LASTREF_ANALYZER_REPORT_TEXT_COMPARISON_H

#include <string>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// The wrong life is on the left. Events of the same operation at the same place stand in one line;
// what only it did is marked '>', what only the peer did '<'.
std::vector<std::string> comparison_lines(const Life& wrong, const Life& peer);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_TEXT_COMPARISON_H
