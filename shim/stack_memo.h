// The validated stack memo: a thread's last stack, and with it most of the next one.
//
// Why it can never give a wrong stack. A step from a frame to its caller is a pure function of the
// frame's registers (pc, sp, fp), of the rule for the pc, and of the stack slots that the step
// reads: the return address, the saved fp, the saved CFA where there is one. For each frame the
// memo keeps those registers, where the slots are, and what they held. A new walk goes on frame by
// frame until it stands at a frame with the very registers of one in the memo. From there the
// memo's next frame is the true caller if, and only if, the slots still hold the same values, and
// that is checked, for every frame, out to the outermost. The first slot that differs ends the
// agreement; the walk takes that step anew and may meet the memo again further out. That a frame is
// another activation of the same function at the same place makes no difference: equal inputs,
// equal stack.
//   Rules do not change for a pc while its module stays: the memo is dropped when the module epoch
// moved, and not used while a dlclose is under way. Steps that depend on more (signal frames, code
// outside modules) are taken again and compared.
//
// Why it can never fault. A memo is used and kept on the thread's own stack only, from the present
// sp outwards; that memory is mapped as long as the thread runs on it. Walks on other stacks
// (sigaltstack, coroutines) are made afresh, every page probed.
//
// Each memo frame also keeps the hash of the path from the outermost frame to itself, so only fresh
// frames are hashed, and the whole stack is looked up in the stack table at once.
#ifndef LASTREF_SHIM_STACK_MEMO_H
#define LASTREF_SHIM_STACK_MEMO_H

#include <stdint.h>

#include "stack_capture.h"
#include "stack_table.h"

namespace lastref {

struct MemoFrame {
    Registers registers;
    StepInputs inputs;  // of the step to the next outer frame
    PathHash path;      // from the outermost frame to here
};

// Of one thread; not for nested use. All zero but for `frames` and `fresh`: empty.
struct StackMemo {
    MemoFrame* frames;  // the outermost first, `capacity` of them
    MemoFrame* fresh;   // work space of the same size: the innermost first
    uint32_t capacity;
    uint32_t count;
    uint32_t epoch;
    trace::StackEnd end;  // what lies outwards of frames[0]
    Step last_step;       // how that was found out
};

// The id of the present stack of at most memo.capacity frames. 0 where it can't be kept.
uint32_t capture_stack(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_MEMO_H
