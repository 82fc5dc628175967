// For the build with -Dcheck_stacks=true only: every captured stack is compared with libunwind's,
// frame by frame, and differences are written to the file that LASTREF_CHECK_LOG names. Slow, takes
// loader locks, not for users.
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
