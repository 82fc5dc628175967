#include "stack_memo.h"

#include "module_table.h"

namespace lastref {

At walk_on(Walk& walk, StackMemo& memo, uintptr_t end) {
    const MemoFrame* const frames = memo.frames;
    const FreshFrame* const limit = memo.fresh + memo.capacity;
    FreshFrame* next = memo.fresh + walk.fresh;
    uint64_t pc = walk.frame.pc;
    uintptr_t sp = walk.frame.sp, fp = walk.frame.fp;
    At at = At::kMemo;
    for (;;) {
        const uint32_t hint = memo.hint(sp);
        const MemoFrame& met = frames[hint];
        if (met.pc == pc && (met.sp_and_flags ^ sp) <= MemoFrame::kFlags && hint < walk.kept &&
            (!met.fp_matters() || met.fp == fp)) {
            walk.kept = hint + 1;
            break;
        }
        *next++ = {pc, sp, fp, {}};
        at = At::kLastFresh;
        if (next == limit) [[unlikely]]
            break;
        uint64_t& known = memo.rules->word(pc);
        const uint64_t key = pc << PackedRule::kBits;
        PackedRule rule(known ^ key);
        if ((known ^ key) > PackedRule::kMask) [[unlikely]] {
            if (end == 0) break;
            rule = packed_rule(pc - 1, memo.epoch);
            if (!rule.is_usual()) break;
            if (!modules_closing()) known = key | rule.bits();
        }
        const uintptr_t cfa = sp + rule.cfa_above_sp();
        if (cfa > end) [[unlikely]]
            break;
        const auto word = [](uintptr_t address) {
            return *reinterpret_cast<const uintptr_t*>(address);
        };
        const uintptr_t caller = word(cfa - sizeof(uintptr_t));
        if (!plausible_code(caller)) [[unlikely]]
            break;
        if (const uintptr_t below = rule.fp_below_cfa()) {
            next[-1].inputs = {StepInputs::kUnused, cfa - below};
            fp = word(cfa - below);
        }
        pc = caller;
        sp = cfa;
        at = At::kMemo;
    }
    walk.frame = {pc, sp, fp};
    walk.fresh = static_cast<uint32_t>(next - memo.fresh);
    return at;
}

PathHash add_fresh(const Walk& walk, StackMemo& memo) {
    const FreshFrame* fresh = memo.fresh + walk.fresh;
    MemoFrame* frame = memo.frames + walk.kept;
    uint32_t index = walk.kept;
    if (index == 0) {
        // Outwards of the outermost frame a step that may end otherwise next time is taken again.
        const bool fp_matters = memo.last_step == Step::kNoCaller || memo.last_step == Step::kLost;
        const auto& [pc, sp, fp, inputs] = *--fresh;
        const PathHash path = PathHash::of_end(memo.end, memo.epoch).with(pc);
        memo.hint(sp) = static_cast<uint16_t>(index++);
        *frame++ = {pc,        sp | (fp_matters ? MemoFrame::kFpMatters : 0),
                    fp,        inputs,
                    path.high, path.low,
                    memo.slots};
    }
    PathHash path = frame[-1].path();
    MemoSlot* slot = frame[-1].slots_end;
    bool fp_matters = frame[-1].fp_matters();
    uintptr_t caller_pc = frame[-1].pc, caller_sp = frame[-1].sp();
    for (; fresh != memo.fresh; frame++) {
        const auto& [pc, sp, fp, inputs] = *--fresh;
        uintptr_t flags = 0;
        if (slot) [[likely]]
            *slot++ = {caller_sp - sizeof(uintptr_t), caller_pc};
        if (fp_matters || !inputs.are_simple()) [[unlikely]] {
            if (inputs.retake()) {
                flags |= MemoFrame::kRetake;
                slot = nullptr;
            }
            if (inputs.fp_slot() != 0 && fp_matters) {
                flags |= MemoFrame::kCheckFp;
                if (slot) *slot++ = {inputs.fp_slot(), frame[-1].fp};
            }
            if (inputs.fp_use() != StepInputs::kPassedOn)
                fp_matters = inputs.fp_use() == StepInputs::kUsed;
            if (fp_matters) flags |= MemoFrame::kFpMatters;
        }
        caller_pc = pc;
        caller_sp = sp;
        path = path.with(pc);
        memo.hint(sp) = static_cast<uint16_t>(index++);
        frame->pc = pc;
        frame->sp_and_flags = sp | flags;
        frame->fp = fp;
        frame->inputs = inputs;
        frame->path_high = path.high;
        frame->path_low = path.low;
        frame->slots_end = slot;
    }
    return path;
}

bool all_slots_hold(const StackMemo& memo, uint32_t at) {
    const MemoSlot* const end = memo.frames[at].slots_end;
    if (!end) [[unlikely]]
        return false;
    const MemoSlot* slot = memo.slots;
    uintptr_t changed = 0;
    const auto look = [&changed](const MemoSlot& one) {
        changed |= *reinterpret_cast<const uintptr_t*>(one.address) ^ one.value;
    };
    // By eights, the last eight once more in part: lengths change from stack to stack, and are
    // foretold wrongly.
    constexpr int kBlock = 8;
    if (end - slot < kBlock) {
        for (; slot != end; slot++) look(*slot);
        return changed == 0;
    }
    for (; slot < end - kBlock; slot += kBlock) {
#pragma GCC unroll 8
        for (int i = 0; i < kBlock; i++) look(slot[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kBlock; i++) look(end[i - kBlock]);
    return changed == 0;
}

}  // namespace lastref
