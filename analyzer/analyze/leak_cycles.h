// Leaked buffers that hold each other (doc/lifecycle-bugs.md, row 12).
//
// Two groups are a cycle if the references that are left over of their lives were taken in one
// call, each in the other's code.
#ifndef LASTREF_ANALYZER_ANALYZE_LEAK_CYCLES_H
#define LASTREF_ANALYZER_ANALYZE_LEAK_CYCLES_H

#include <vector>

#include "analyze/finding_builder.h"
#include "analyze/judges.h"
#include "analyze/leak_group.h"

namespace lastref {

// Joins the halves of each cycle; the younger one is then visible only through `joined`.
void join_cycles(std::vector<LeakGroup>& groups, Judges& judges, const FindingBuilder& builder);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LEAK_CYCLES_H
