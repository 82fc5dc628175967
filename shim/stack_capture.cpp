#include "stack_capture.h"

#include <stddef.h>
#include <ucontext.h>

#include "frame_rules.h"

namespace lastref {
namespace {

constexpr uintptr_t kLowestCode = 4096;
constexpr uintptr_t kUserEnd = uintptr_t{1} << 47;

bool plausible_code(uintptr_t pc) { return pc >= kLowestCode && pc < kUserEnd; }

struct Registers {
    uintptr_t pc, sp, fp;
    bool exact;  // pc is where a signal interrupted, not a return address
};

// The kernel's signal frame: a ucontext at the handler's return (x86-64 rt_sigframe).
bool step_signal(ReadableStack& stack, Registers& r) {
    const auto saved = [&](int reg, uintptr_t& value) {
        return stack.read(r.sp + offsetof(ucontext_t, uc_mcontext.gregs) +
                              static_cast<uintptr_t>(reg) * sizeof(greg_t),
                          value);
    };
    Registers before{};
    if (!saved(REG_RIP, before.pc) || !saved(REG_RSP, before.sp) || !saved(REG_RBP, before.fp)) {
        return false;
    }
    before.exact = true;
    r = before;
    return true;
}

bool step_by_rule(ReadableStack& stack, const FrameRule& rule, Registers& r) {
    uintptr_t cfa = 0;
    const auto offset = static_cast<uintptr_t>(static_cast<intptr_t>(rule.cfa_offset));
    switch (rule.cfa) {
        case CfaKind::kStackPointer: cfa = r.sp + offset; break;
        case CfaKind::kFramePointer: cfa = r.fp + offset; break;
        case CfaKind::kMemory:
            if (!stack.read(r.fp + offset, cfa)) return false;
            break;
        default: return false;
    }
    uintptr_t pc = 0, fp = r.fp;
    if (cfa <= r.sp || !stack.read(cfa - sizeof(uintptr_t), pc)) return false;
    if (rule.fp != FpKind::kSame) {
        const uintptr_t base = rule.fp == FpKind::kAtCfa ? cfa : r.fp;
        const auto at = static_cast<uintptr_t>(static_cast<intptr_t>(rule.fp_offset));
        if (!stack.read(base + at, fp)) return false;
    }
    r = {pc, cfa, fp, false};
    return true;
}

// Code without CFI that keeps frame pointers: push %rbp; mov %rsp, %rbp.
bool step_by_frame_pointer(ReadableStack& stack, Registers& r) {
    uintptr_t pc = 0, fp = 0;
    if (r.fp < r.sp || !stack.read(r.fp, fp) || !stack.read(r.fp + sizeof(uintptr_t), pc) ||
        !plausible_code(pc)) {
        return false;
    }
    r = {pc, r.fp + 2 * sizeof(uintptr_t), fp, false};
    return true;
}

}  // namespace

Walk capture_stack(const CallSite& site, OwnStack& own, bool may_call_kernel, uint64_t* pcs,
                   uint32_t limit) {
    ReadableStack stack(own, site.sp, may_call_kernel, true);
    Registers r{site.pc, site.sp, site.fp, false};
    uint32_t count = 0;
    for (;;) {
        if (r.pc == 0) return {count, trace::kStackComplete};
        if (!plausible_code(r.pc)) return {count, trace::kStackLost};
        if (count == limit) return {count, trace::kStackCut};
        pcs[count++] = static_cast<uint64_t>(r.pc) | (r.exact ? trace::kExactPc : 0);
        const FrameRule rule = frame_rule(r.exact ? r.pc : r.pc - 1);
        switch (rule.cfa) {
            case CfaKind::kOutermost: return {count, trace::kStackComplete};
            case CfaKind::kSignal:
                if (!step_signal(stack, r)) return {count, trace::kStackLost};
                // The handler may run on a stack of its own, the interrupted code on another.
                stack = ReadableStack(own, r.sp, may_call_kernel, false);
                break;
            case CfaKind::kNone:
                if (!step_by_frame_pointer(stack, r)) return {count, trace::kStackLost};
                break;
            default:
                if (!step_by_rule(stack, rule, r)) return {count, trace::kStackLost};
        }
    }
}

}  // namespace lastref
