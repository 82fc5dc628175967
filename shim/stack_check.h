// For liblastref_checked.so, which tests use: every captured stack is compared with libunwind's,
// frame by frame, and each id with the stack that it named before. The file that LASTREF_CHECK_LOG
// names gets lines: 'comparing', for each difference 'differs' or 'cut' (one of the kinds that are
// permitted, see classify()) with both stacks, and at the process' end how many were compared.
// Slow, takes loader locks, not for users.
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
