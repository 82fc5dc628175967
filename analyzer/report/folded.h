// Folded stacks: one line per stack, `type;outermost;...;innermost WEIGHT`, sorted. What
// FlameGraph, speedscope and inferno read.
#ifndef LASTREF_ANALYZER_REPORT_FOLDED_H
#define LASTREF_ANALYZER_REPORT_FOLDED_H

#include <string>

#include "analyze/findings.h"

namespace lastref {

// What a stack's number counts.
enum class Weight { kLive, kPeak, kAllocated };  // bytes

// Needs `report.usage`. The type ("heap", "mapping", a buffer's) is the outermost frame, since
// buffers lie in heap blocks: all together would count them twice. A ';' in a name becomes ':'.
// Stacks that weigh nothing are left out.
std::string render_folded(const Report& report, Weight weight);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_FOLDED_H
