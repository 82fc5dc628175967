#include "stack_capture.h"

#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "frame_rules.h"
#include "module_lookup.h"

namespace lastref {
namespace {

// The kernel's signal frame: a ucontext at the handler's return (x86-64 rt_sigframe).
Step step_signal(Registers& r, ReadableStack& stack) {
    const auto saved = [&](int reg, uintptr_t& value) {
        return stack.read(r.sp + offsetof(ucontext_t, uc_mcontext.gregs) +
                              static_cast<uintptr_t>(reg) * sizeof(greg_t),
                          value);
    };
    uintptr_t pc = 0, sp = 0, fp = 0;
    if (!saved(REG_RIP, pc) || !saved(REG_RSP, sp) || !saved(REG_RBP, fp) || !plausible_code(pc)) {
        return Step::kLost;
    }
    r = {pc | trace::kExactPc, sp, fp};
    return Step::kCaller;
}

bool in_module(uintptr_t pc) {
    Module module;
    return find_module(pc, module);
}

// Whether a call instruction ends before `pc`, which can be read: E8 with four bytes of distance,
// or FF /2 in any of its lengths (Intel SDM volume 2, CALL).
constexpr uintptr_t kLongestCall = 7;
bool follows_call(uintptr_t pc) {
    const auto* code = reinterpret_cast<const uint8_t*>(pc);
    if (code[-5] == 0xe8) return true;
    for (int length = 2; length <= static_cast<int>(kLongestCall); length++) {
        if (code[-length] == 0xff && (code[1 - length] >> 3 & 7) == 2) return true;
    }
    return false;
}

// Whether the instruction at `pc`, which runs, is a return: whatever its function saved is
// restored.
bool at_return(uintptr_t pc) {
    return *reinterpret_cast<const uint8_t*>(pc) == 0xc3;
}

// Whether the call before `pc` can be looked at.
bool call_readable(uintptr_t pc, OwnStack& own, bool probe) {
    return own.pages.readable(pc - kLongestCall, probe) && own.pages.readable(pc - 1, probe);
}

// A value that code without frame pointers keeps in rbp may point into the stack too, but hardly
// ever at the address behind a call.
bool returns_from_call(uintptr_t pc, OwnStack& own, bool probe) {
    return call_readable(pc, own, probe) && follows_call(pc);
}

// Where code without CFI that keeps frame pointers (push %rbp; mov %rsp, %rbp) has its caller's
// rbp, the return address right behind it: where rbp points, but for a few instructions that a
// signal may interrupt. `saved` is false where rbp is still the caller's, or is again.
uintptr_t saved_frame_pointer(const Registers& r, bool exact, OwnStack& own, bool probe,
                              bool& saved) {
    static const uint8_t prologue[] = {0x55, 0x48, 0x89, 0xe5};
    const uintptr_t pc = r.pc & ~trace::kExactPc;
    const auto begins = [](uintptr_t at) {
        return memcmp(reinterpret_cast<const void*>(at), prologue, sizeof(prologue)) == 0;
    };
    saved = true;
    if (!exact || !own.pages.readable(pc - 1, probe) ||
        !own.pages.readable(pc + sizeof(prologue), probe)) {
        return r.fp;
    }
    if (begins(pc - 1)) return r.sp;
    saved = !begins(pc) && !at_return(pc);
    return saved ? r.fp : r.sp - sizeof(uintptr_t);
}

// `inputs` is as for a rule that keeps the caller's rbp where rbp points, and the return address
// behind it; where a signal interrupted the frame more was looked at.
Step step_by_frame_pointer(Registers& r, ReadableStack& stack, OwnStack& own, bool exact,
                           bool probe, StepInputs& inputs) {
    bool saved;
    const uintptr_t frame = saved_frame_pointer(r, exact, own, probe, saved);
    uintptr_t pc = 0, fp = r.fp;
    if ((saved && (frame < r.sp || !stack.read(frame, fp))) ||
        !stack.read(frame + sizeof(uintptr_t), pc) || !plausible_code(pc) ||
        !returns_from_call(pc, own, probe)) {
        return Step::kLost;
    }
    if (!exact) inputs = {StepInputs::kUsed, frame};
    r = {pc, frame + 2 * sizeof(uintptr_t), fp};
    return Step::kCaller;
}

}  // namespace

Step step_to_caller(Registers& frame, ReadableStack& stack, OwnStack& own, bool probe,
                    StepInputs& inputs) {
    const bool exact = (frame.pc & trace::kExactPc) != 0;
    const uintptr_t pc = frame.pc & ~trace::kExactPc;
    FrameRule rule = frame_rule(exact ? pc : pc - 1);
    // In epilogues tables describe only the stack pointer, and the slot where rbp was saved is no
    // longer part of the stack.
    if (exact && rule.cfa == CfaKind::kStackPointer && at_return(pc)) rule.fp = FpKind::kSame;
    inputs = {};
    const auto offset = static_cast<uintptr_t>(static_cast<intptr_t>(rule.cfa_offset));
    uintptr_t cfa = 0;
    switch (rule.cfa) {
        case CfaKind::kStackPointer:
            cfa = frame.sp + offset;
            break;
        case CfaKind::kFramePointer:
            inputs = StepInputs::kUsed;
            cfa = frame.fp + offset;
            break;
        case CfaKind::kMemory:
            inputs = {StepInputs::kUsed, 0, true};
            if (!stack.read(frame.fp + offset, cfa)) return Step::kLost;
            break;
        case CfaKind::kOutermost:
            return Step::kOutermost;
        case CfaKind::kSignal: {
            inputs = {StepInputs::kUnused, 0, true};
            // Taken a second time, to check it, `stack` may be the interrupted one already.
            stack = ReadableStack(own, frame.sp, probe, true);
            const Step result = step_signal(frame, stack);
            // The handler may have run on a stack of its own, the interrupted code on another.
            if (result == Step::kCaller) stack = ReadableStack::interrupted(own, frame.sp, probe);
            return result;
        }
        case CfaKind::kNone:
        case CfaKind::kOther:
            inputs = {StepInputs::kUsed, 0, true};
            // ld.so's entry, which runs the first constructors, describes no frame. It stands at
            // the very end of the stack.
            if (own.high != 0 && frame.sp + 16 >= own.high && frame.sp <= own.high) {
                return Step::kOutermost;
            }
            if (rule.cfa == CfaKind::kOther) return Step::kLost;
            // Nor does what starts a coroutine: glibc's makecontext has it return to a place that
            // no call led to. The frame pointer there is its maker's, who may be gone.
            if (!exact && call_readable(pc, own, probe) && !follows_call(pc) && in_module(pc - 1))
                return Step::kOutermost;
            return step_by_frame_pointer(frame, stack, own, exact, probe, inputs);
    }
    uintptr_t return_address = 0;
    if (cfa <= frame.sp || !stack.read(cfa - sizeof(uintptr_t), return_address)) {
        return Step::kLost;
    }
    uintptr_t fp = frame.fp;
    if (rule.fp != FpKind::kSame) {
        const bool by_fp = rule.fp == FpKind::kAtFramePointer;
        const uintptr_t slot = (by_fp ? frame.fp : cfa) +
                               static_cast<uintptr_t>(static_cast<intptr_t>(rule.fp_offset));
        if (!stack.read(slot, fp)) return Step::kLost;
        const bool used = by_fp || inputs.fp_use() == StepInputs::kUsed;
        inputs = {used ? StepInputs::kUsed : StepInputs::kUnused, slot, inputs.retake()};
    }
    if (return_address == 0) return Step::kNoCaller;
    if (!plausible_code(return_address)) return Step::kLost;
    frame = {return_address, cfa, fp};
    return Step::kCaller;
}

}  // namespace lastref
