#include "stack_memo.h"

#include "module_table.h"
#include "session.h"

namespace lastref {
namespace {

uintptr_t word_at(uintptr_t address) {
    return *reinterpret_cast<const uintptr_t*>(address);
}

}  // namespace

At walk_on(Walk& walk, StackMemo& memo, uintptr_t end) {
    const MemoFrame* const frames = memo.frames;
    const FreshFrame* const limit = memo.fresh + memo.capacity;
    FreshFrame* next = memo.fresh + walk.fresh;
    uint64_t pc = walk.frame.pc;
    uintptr_t sp = walk.frame.sp, fp = walk.frame.fp;
    At at = At::kMemo;
    for (;;) {
        const uint32_t hint = memo.hint(sp);
        if (frames[hint].pc == pc && frames[hint].sp == sp && hint < walk.kept &&
            (!memo.rest[hint].fp_matters() || memo.rest[hint].fp == fp)) {
            walk.kept = hint + 1;
            break;
        }
        *next++ = {{pc, sp}, fp, {}};
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
        const uintptr_t caller = word_at(cfa - sizeof(uintptr_t));
        if (!plausible_code(caller)) [[unlikely]]
            break;
        if (const uintptr_t below = rule.fp_below_cfa()) {
            next[-1].inputs = {StepInputs::kUnused, cfa - below};
            fp = word_at(cfa - below);
        }
        pc = caller;
        sp = cfa;
        at = At::kMemo;
    }
    walk.frame = {pc, sp, fp};
    walk.fresh = static_cast<uint32_t>(next - memo.fresh);
    return at;
}

// By eights, the last eight once more in part: lengths change from stack to stack, and are
// mispredicted.
bool all_slots_hold(const StackMemo& memo, uint32_t at) {
    const uint32_t facts = memo.rest[at].facts();
    uintptr_t changed = 0;
    if (facts >= MemoRest::kOnMore) [[unlikely]] {
        if (facts & MemoRest::kOnMore) return false;
        for (uint32_t i = 0; i < facts >> MemoRest::kFpSlots; i++) {
            changed |= word_at(memo.fp_slots[i].address) ^ memo.fp_slots[i].value;
        }
    }
    const MemoFrame* frame = memo.frames;
    const MemoFrame* const end = frame + at;
    const auto look = [&](const MemoFrame& one) {
        changed |= word_at(one.sp - sizeof(uintptr_t)) ^ one.pc;
    };
    constexpr int kBlock = 8;
    if (at < kBlock) {
        for (; frame != end; frame++) look(*frame);
        return changed == 0;
    }
    for (; frame < end - kBlock; frame += kBlock) {
#pragma GCC unroll 8
        for (int i = 0; i < kBlock; i++) look(frame[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kBlock; i++) look(end[i - kBlock]);
    return changed == 0;
}

// Not inlined: its loop wants all registers.
[[gnu::noinline]] PathHash add_fresh(const Walk& walk, StackMemo& memo) {
    const FreshFrame* fresh = memo.fresh + walk.fresh;
    MemoFrame* frame = memo.frames + walk.kept;
    MemoRest* rest = memo.rest + walk.kept;
    uint32_t index = walk.kept;
    // State of the next frame outwards: its path, its facts without those of its own step, whether
    // fp matters.
    PathHash path = PathHash::of_end(memo.end, memo.epoch);
    uint64_t facts = 0;
    // Outwards of the outermost frame a step that may end otherwise next time is taken again.
    bool fp_matters = memo.last_step == Step::kNoCaller || memo.last_step == Step::kLost;
    if (index != 0) [[likely]] {
        path = rest[-1].path();
        facts = rest[-1].facts() & ~(MemoRest::kFpMatters | MemoRest::kCheckFp | MemoRest::kRetake);
        fp_matters = rest[-1].fp_matters();
    }
    for (; fresh != memo.fresh; frame++, rest++) {
        const FreshFrame& taken = *--fresh;
        uint64_t own_facts = facts;
        if (fp_matters || !taken.inputs.are_simple()) [[unlikely]] {
            const StepInputs inputs = index != 0 ? taken.inputs : StepInputs();
            if (inputs.retake()) {
                facts |= MemoRest::kOnMore;
                own_facts = facts | MemoRest::kRetake;
            }
            if (inputs.fp_slot() != 0 && fp_matters) {
                memo.fp_slots[facts >> MemoRest::kFpSlots] = {inputs.fp_slot(), rest[-1].fp};
                facts += 1u << MemoRest::kFpSlots;
                own_facts += 1u << MemoRest::kFpSlots | MemoRest::kCheckFp;
            }
            if (inputs.fp_use() != StepInputs::kPassedOn)
                fp_matters = inputs.fp_use() == StepInputs::kUsed;
            if (fp_matters) own_facts |= MemoRest::kFpMatters;
        }
        path = path.with(taken.pc);
        memo.hint(taken.sp) = static_cast<uint16_t>(index++);
        frame->pc = taken.pc;
        frame->sp = taken.sp;
        rest->fp = taken.fp;
        rest->inputs = taken.inputs;
        rest->path_high = path.high;
        rest->low_and_facts = path.low | own_facts << 32;
    }
    return path;
}

[[gnu::flatten]] LookedAt look_at_stack(const CallSite& site, const OwnStack& own,
                                        StackMemo& memo) {
    const LookedAt looked = {&memo, ++memo.walks, process.generation};
    Sighting& seen = memo.seen;
    Walk walk = {{site.pc, site.sp, site.fp}, 0, memo.count};
    seen.old_count = memo.count;
    seen.whole = false;
    At at = At::kStart;
    if (memo.count != 0 && !memo.foreign && !may_be_replaced(memo) &&
        memo.epoch == module_epoch() && !modules_closing() && own.holds(site.sp) &&
        aligned(site.sp)) [[likely]] {
        memo.count = 0;  // until all is well: a handler may leave us by longjmp
        at = walk_on(walk, memo, own.high);
        if (at == At::kMemo && end_is_sure(memo) && ends_alike(memo, walk.kept + walk.fresh))
            [[likely]] {
            seen.path = add_fresh(walk, memo);
            seen.line = process.session->stacks.first_line(seen.path);
            __builtin_prefetch(seen.line);
            seen.whole = all_slots_hold(memo, walk.kept - 1);
            seen.walk.fresh = walk.fresh;
            seen.walk.kept = walk.kept;
            if (seen.whole) [[likely]]
                return looked;
        }
    }
    seen.walk = walk;
    seen.at = at;
    return looked;
}

}  // namespace lastref
