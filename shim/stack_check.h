// For liblastref_checked.so, which tests use: every captured stack is compared with libunwind's,
// frame by frame. Differences are written to the file that LASTREF_CHECK_LOG names, after a line
// that says that the comparison ran. Slow, takes loader locks, not for users.
#ifndef LASTREF_SHIM_STACK_CHECK_H
#define LASTREF_SHIM_STACK_CHECK_H

#include "stack_memo.h"

namespace lastref {

#ifdef LASTREF_CHECK_STACKS
void check_stack(const CallSite& site, const StackMemo& memo, uint32_t id);
#else
inline void check_stack(const CallSite&, const StackMemo&, uint32_t) {}
#endif

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_CHECK_H
