// A whole walk over the present stack, to the id of that stack.
//
// The usual way is short: the memo (stack_memo.h) is the thread's last stack, a few fresh frames
// lead to where it is met, and from there it holds. Whatever else there is - no memo yet, stacks
// that are not the thread's own, signal frames, rules that take more, a memo that no longer holds
// somewhere, a dlclose under way - is done by other means, which go on from where the usual way
// came to.
#ifndef LASTREF_SHIM_STACK_WALK_H
#define LASTREF_SHIM_STACK_WALK_H

#include <stdint.h>

#include "stack_memo.h"

namespace lastref {

// The second half of a walk: the id of the present stack, of at most so many frames as the memo has
// room for; new stacks are defined in `log`. 0 where it can't be kept. `own` and `probe` as for
// ReadableStack; `looked` is of this very stack. Any thread, signal handlers too, with a memo and a
// log that are no one else's.
uint32_t capture_stack(const CallSite& site, OwnStack& own, bool probe, const LookedAt& looked,
                       StackLog& log);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_WALK_H
