// Expressions and conditions of rules: see hook_rules.h for their grammar.
#ifndef LASTREF_SHIM_HOOK_EXPRESSIONS_H
#define LASTREF_SHIM_HOOK_EXPRESSIONS_H

#include "hook_rule_reader.h"

namespace lastref::hooks {

inline constexpr int64_t kMostOffset = INT32_MAX;

// Each reads what is next in the line; what is wrong there, the reader knows afterwards.
bool read_width(Reader& in, Width& made);  // false where there is none: nothing is read then
// `in_type`: of an obj line, where `id` alone is known.
Expression read_expression(Reader& in, bool in_type, unsigned depth = 0);
void read_conditions(Reader& in, Condition* made, uint8_t& count, bool in_type);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_EXPRESSIONS_H
