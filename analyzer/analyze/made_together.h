// Owners and parts of which none ended: what is made with an owner is taken for its own.
//
// Where all leak, no end of an owner shows what it releases (owned_parts.h). Buffers that the call
// which makes an owner makes right after it, each time as many, and that nobody retains or releases
// on their own, are the owner's parts more likely than a leak beside it.
#ifndef LASTREF_ANALYZER_ANALYZE_MADE_TOGETHER_H
#define LASTREF_ANALYZER_ANALYZE_MADE_TOGETHER_H

#include <vector>

#include "analyze/judges.h"
#include "analyze/leak_group.h"

namespace lastref {

// Joins such parts to their owners.
void join_made_together(std::vector<LeakGroup>& groups, Judges& judges, const Buffers& buffers);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MADE_TOGETHER_H
