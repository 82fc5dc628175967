// Leaks that are one leak: what a leaked buffer holds leaks with it, and buffers that hold each
// other keep each other.
//
//   - An owner lets go of its parts when it ends (owned_parts.h). Where the parts lack that very
//     release, and are no more than the leaked owners explain, only the owner is reported, with the
//     parts as its dependants (doc/lifecycle-bugs.md, rows 13 and 14).
//   - Where no owner ended, what is made with it is its own (made_together.h).
//   - Buffers that hold each other are a cycle (leak_cycles.h).
#ifndef LASTREF_ANALYZER_ANALYZE_LINKED_LEAKS_H
#define LASTREF_ANALYZER_ANALYZE_LINKED_LEAKS_H

#include <vector>

#include "analyze/finding_builder.h"
#include "analyze/judges.h"
#include "analyze/leak_group.h"

namespace lastref {

// Joins groups that belong together; those that were joined to others are gone from `groups`.
void link_leaks(std::vector<LeakGroup>& groups, Judges& judges, FindingBuilder& builder);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LINKED_LEAKS_H
