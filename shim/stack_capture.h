// One step of a stack walk: from a frame to its caller. stack_memo makes whole walks of such steps.
//
// A walk starts in the caller of an interposer, from the registers there, and steps outwards by
// frame rules. Where there is no rule (code of a JIT, hand-written assembly) it follows the frame
// pointer if that leads further up the same stack to a plausible return address; else it ends.
// Every read is checked against the stack's bounds, and each frame must lie above the last one
// (but where a signal handler ran on a stack of its own), so a walk ends and never faults, whatever
// the registers hold.
#ifndef LASTREF_SHIM_STACK_CAPTURE_H
#define LASTREF_SHIM_STACK_CAPTURE_H

#include <stdint.h>

#include "stack_bounds.h"
#include "trace_format.h"

namespace lastref {

// The program's frame that called us: where it goes on, and its registers there.
struct CallSite {
    uintptr_t pc, sp, fp;
};

// The caller of the function whose frame address (`__builtin_frame_address(0)`) is given. That
// function must be compiled with a frame pointer, as all of the shim is.
inline CallSite caller_of(const void* frame_address) {
    const auto* frame = static_cast<const uintptr_t*>(frame_address);
    return {frame[1], reinterpret_cast<uintptr_t>(frame + 2), frame[0]};
}

// The registers of one frame. `pc` as in StackNode: with kExactPc it is where a signal interrupted.
struct Registers {
    uint64_t pc;
    uintptr_t sp, fp;
};

// The inputs of a step besides the return address, which lies at the caller's sp - 8. One word.
class StepInputs {
public:
    enum FpUse : uintptr_t {
        kPassedOn = 0,  // nothing came of the frame's fp: it is the caller's too
        kUnused = 1,    // nor that: the caller's was saved
        kUsed = 2,      // something was computed from it
    };

    StepInputs() = default;
    // `fp_slot`: where the caller's fp was saved, a multiple of 8; 0: in no slot. `retake`: more
    // was read than that (signal frames, realigned stacks, code without rules); to check the step,
    // take it again.
    StepInputs(FpUse use, uintptr_t fp_slot = 0, bool retake = false)
        : bits_(fp_slot | use | (retake ? kRetake : 0)) {}

    uintptr_t fp_slot() const { return bits_ & ~uintptr_t{7}; }
    FpUse fp_use() const { return static_cast<FpUse>(bits_ & kUse); }
    bool retake() const { return (bits_ & kRetake) != 0; }
    // Neither kUsed nor retake().
    bool are_simple() const { return (bits_ & (kUsed | kRetake)) == 0; }

private:
    static constexpr uintptr_t kUse = 3, kRetake = 4;
    uintptr_t bits_ = 0;
};

enum class Step : uint8_t {
    kCaller,     // the registers are the caller's now
    kOutermost,  // the frame has no caller, and never has at this pc
    kNoCaller,   // the return address is zero
    kLost,       // no way to go on
};

// One step outwards. `own` and `probe` as for ReadableStack, which is renewed where the step
// crosses from a signal handler's stack to the interrupted one.
Step step_to_caller(Registers& frame, ReadableStack& stack, OwnStack& own, bool probe,
                    StepInputs& inputs);

// Whether a return address can be one: in user space, not in the first page.
inline bool plausible_code(uintptr_t pc) {
    constexpr uintptr_t kLowest = 4096, kEnd = uintptr_t{1} << 47;
    return pc - kLowest < kEnd - kLowest;
}

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_CAPTURE_H
