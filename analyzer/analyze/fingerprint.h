// A finding's id: the same for the same fault in another build, run or machine.
//
// Made of kind, type, cause, and the function names of the stacks that define the group, in
// their order. No lines, offsets, addresses or counts: those change while the fault stays.
// Repeated frames (recursion) count once. Two findings of one report with the same id get a suffix,
// by their order in the source.
#ifndef LASTREF_ANALYZER_ANALYZE_FINGERPRINT_H
#define LASTREF_ANALYZER_ANALYZE_FINGERPRINT_H

#include <span>
#include <string>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// 16 hexadecimal digits. `cause` is "" where no cause was named.
std::string fingerprint(Kind kind, std::string_view type, std::string_view cause,
                        std::span<const Stack* const> stacks);

// Appends "-2", "-3", ... to repeated ids, in source order of the stacks in which the findings
// differ.
void tell_apart(std::vector<Finding>& findings);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FINGERPRINT_H
