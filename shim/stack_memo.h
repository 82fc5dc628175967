// The validated stack memo: a thread's last stack, and with it most of the next one.
//
// Why it can never give a wrong stack. A step from a frame to its caller is a pure function of the
// frame's registers (pc, sp, fp), of the rule for the pc, and of the stack slots that the step
// reads: the return address, and the saved fp. For each frame the memo keeps those registers, where
// the slots are, and what they held. A new walk goes on frame by frame until it stands at a frame
// with the very registers of one in the memo. From there the memo's next frame is the true caller
// if, and only if, the slots still hold the same values, and that is checked, for every frame, out
// to the outermost. The first slot that differs ends the agreement; the walk takes that step again
// and may meet the memo further out. That a frame is another activation of the same function at the
// same place makes no difference: equal inputs, equal stack.
//   The frame pointer is compared only where it matters: where the frame's own rule, or one further
// out that it reaches unsaved, computes something from it (kFpMatters, from the outermost frame
// inwards). Most code keeps other things in that register. Where it does not matter its slot is not
// read and what the memo holds of it may be old; a walk that has to go on from such a frame first
// follows the saved values from where the registers are known (callers_fp).
//   Rules do not change for a pc while its module stays: the memo is dropped when the module epoch
// moved, and not used while a dlclose is under way. Steps that depend on more (signal frames,
// realigned stacks) are taken again and compared.
//   Code without tables is stepped by its frame pointer as if a rule said so. A module with another
// rule may come to its place only after the program has unmapped what lies there: a memo with steps
// by frame pointer is dropped then (unmap_generation).
//
// Why it can never fault. On the thread's own stack everything from the present sp outwards is
// mapped as long as the thread runs on it. A memo of another stack (sigaltstack, a coroutine's) is
// read through ReadableStack, which probes every page that a walk touches: such a stack may have
// been unmapped, and a smaller one mapped in its place. A stack that runs over from one memory to
// another is not kept.
//
// Each memo frame also keeps the hash of the path from the outermost frame to itself, so only fresh
// frames are hashed, and the whole stack is looked up in the stack table at once.
//
// What is usual is checked by pcs and sps alone: those of all frames lie in one array, apart from
// what else there is to a frame.
#ifndef LASTREF_SHIM_STACK_MEMO_H
#define LASTREF_SHIM_STACK_MEMO_H

#include <stdint.h>

#include "frame_rules.h"
#include "known_pages.h"
#include "stack_capture.h"
#include "stack_table.h"

namespace lastref {

// A frame of the memo: where it is, and, at sp - 8, what called it: the pc of the frame before.
struct MemoFrame {
    uint64_t pc;
    uintptr_t sp;
};

// The rest of a memo frame.
struct MemoRest {
    static constexpr uint32_t kFpMatters = 1;  // the stack outwards depends on this frame's fp
    // fp matters, and the step outwards reads it from a slot.
    static constexpr uint32_t kCheckFp = 2;
    static constexpr uint32_t kRetake = 4;  // the step outwards is more than its slots
    static constexpr uint32_t kOnMore = 8;  // kRetake of this step or of one further outwards
    static constexpr unsigned kFpSlots = 16;

    uintptr_t fp;
    StepInputs inputs;       // of the step outwards
    uint64_t path_high;      // of the path from the outermost frame to here
    uint64_t low_and_facts;  // its low part | facts << 32

    // The flags above | how many of the memo's fp slots, from the first, the stack outwards of here
    // depends on << kFpSlots.
    uint32_t facts() const { return static_cast<uint32_t>(low_and_facts >> 32); }
    bool fp_matters() const { return (facts() & kFpMatters) != 0; }
    PathHash path() const { return {path_high, static_cast<uint32_t>(low_and_facts)}; }
};

// A frame on its way into the memo, and what its step outwards read.
struct FreshFrame : MemoFrame {
    uintptr_t fp;
    StepInputs inputs;
};

// A word of the stack where a frame pointer was saved, and what it held.
struct FpSlot {
    uintptr_t address;
    uintptr_t value;
};

// A walk outwards. Memo frames [0, kept) may still be met.
struct Walk {
    Registers frame;
    uint32_t fresh;  // frames of memo.fresh that were taken
    uint32_t kept;
};

// Where a walk is.
enum class At : uint8_t {
    kStart,      // at `frame`, which has not been looked at
    kLastFresh,  // at the last fresh frame, whose step outwards takes more than the usual rule
    kMemo,       // at memo frame kept - 1
};

// How far the usual way led: by fresh frames to the memo, which holds.
struct Sighting {
    PathHash path;           // where `whole`, as the next one
    const StackEntry* line;  // where the stack table may have it
    Walk walk;               // its frame where not `whole`
    uint32_t old_count;      // the memo's frames before
    At at;                   // where not `whole`
    bool whole;              // the fresh frames are the memo's now
};

// One thread's memo; not for nested use. All zero but for the arrays: empty.
struct StackMemo {
    MemoFrame* frames;  // the outermost first, `capacity` of them
    MemoRest* rest;     // of the same
    FpSlot* fp_slots;   // room for one for each frame
    FreshFrame* fresh;  // work space for `capacity`: the innermost first
    RuleFront* rules;   // of the same epoch
    uint32_t capacity;
    uint32_t count;
    uint32_t id;  // of the stack of all `count` frames
    uint32_t epoch;
    trace::StackEnd end;  // what lies outwards of frames[0]
    Step last_step;       // how that was found out
    bool foreign;         // not of the thread's own stack
    bool by_fp;           // a step outwards was made by a frame pointer
    uint32_t unmaps;      // the unmap_generation before the first of these
    uint32_t walks;       // shows a walk that another one used the memo meanwhile
    Sighting seen;        // of the walk under way
    // Which frame stands at an sp, if one does: the last one of those that share the place. Missing
    // one of the others only costs another walk.
    static constexpr uint32_t kHints = 512;
    uint16_t hints[kHints];

    uint16_t& hint(uintptr_t sp) { return hints[sp >> 4 & (kHints - 1)]; }
    Registers registers(uint32_t at) const { return {frames[at].pc, frames[at].sp, rest[at].fp}; }
};

// As all stack pointers are where calls are made.
inline bool aligned(uintptr_t sp) {
    return (sp & 7) == 0;
}

// Whether rules may have changed under a memo's steps by frame pointer.
inline bool may_be_replaced(const StackMemo& memo) {
    return memo.by_fp && memo.unmaps != unmap_generation.load(std::memory_order_acquire);
}

// Identifies the walk that a memo's sighting belongs to.
struct LookedAt {
    StackMemo* memo;
    uint32_t number, generation;  // the walk's among those of the memo; the process'
};

// The first half of a walk: the present stack as far as the usual way leads, without its id. Work
// done before the second half (capture_stack) gives the stack table's cache line time to arrive.
// There need not be a second half; the memo has no frames until then.
LookedAt look_at_stack(const CallSite& site, const OwnStack& own, StackMemo& memo);

// From kStart outwards by fresh frames, while that is usual: by PackedRule::is_usual(), and on the
// stack below `end`, which may be read without asking. `end` 0: the first frame's rule is not the
// one for pc - 1, or no rule may be asked for.
At walk_on(Walk& walk, StackMemo& memo, uintptr_t end);

// The fresh frames become the memo's, from walk.kept on. Returns the path of the innermost. Does no
// harm to the frames [0, walk.kept), and may be done again with fewer of them.
PathHash add_fresh(const Walk& walk, StackMemo& memo);

// Whether everything outwards of memo frame `at` is still true; false too where that takes more
// than a look at the slots. On the thread's own stack only.
bool all_slots_hold(const StackMemo& memo, uint32_t at);

// Whether a stack of so many frames, the memo's outer ones among them, may end as the memo does.
// One of as many as may be kept is cut, whether or not there would have been one more.
inline bool ends_alike(const StackMemo& memo, uint32_t frames) {
    return memo.end == trace::kStackCut ? frames == memo.capacity : frames < memo.capacity;
}

// Whether what ends the stack would end it again without a look: at the cut nothing was read
// beyond, and the outermost frame's rule says so.
inline bool end_is_sure(const StackMemo& memo) {
    return memo.last_step == Step::kCaller || memo.last_step == Step::kOutermost;
}

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_MEMO_H
