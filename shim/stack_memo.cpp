#include "stack_memo.h"

#include "frame_rules.h"
#include "module_table.h"
#include "session.h"
#include "stack_check.h"

namespace lastref {
namespace {

bool aligned(uintptr_t sp) {
    return (sp & MemoFrame::kFlags) == 0;
}

// One capture in the making.
class Capture {
public:
    Capture(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo, StackLog& log)
        : memo_(memo),
          log_(log),
          own_(own),
          probe_(probe),
          stack_(own, site.sp, probe, true),
          frame_{site.pc, site.sp, site.fp},
          foreign_(!own.holds(site.sp)),
          keep_(aligned(site.sp)),
          closing_(modules_closing()),
          old_count_(memo.foreign == foreign_ && keep_ && !closing_ ? memo.count : 0),
          kept_(old_count_) {
        memo_.count = 0;  // until all is well: a handler may leave us by longjmp
        memo_.foreign = foreign_;
    }

    // Afterwards memo.frames and memo.count are this stack, where its id is not 0.
    uint32_t run() {
        bool step_first = false;
        while (walk_to_memo(step_first) && !follow_memo()) step_first = true;
        return finish();
    }

    // Whether the memo may serve the next walk.
    bool keep() const { return keep_ && !closing_; }

private:
    // Outwards by fresh frames: from frame_, or else (`step_first`) from the last one taken. True:
    // it stands at memo frame kept_ - 1. False: at the stack's end, or the limit. What is usual is
    // done here, on registers of the processor.
    bool walk_to_memo(bool step_first) {
        if (step_first) frame_ = fresh_[fresh_count_ - 1].registers;
        const MemoFrame* const frames = memo_.frames;
        FreshFrame* const limit = fresh_ + memo_.capacity;
        FreshFrame* next = fresh_ + fresh_count_;
        const uint32_t epoch = memo_.epoch;
        uint64_t pc = frame_.pc;
        uintptr_t sp = frame_.sp, fp = frame_.fp;
        uintptr_t end = usual_end();
        for (;;) {
            if (!step_first) {
                const uint32_t hint = memo_.hint(sp);
                const MemoFrame* const memo = frames + hint;
                if (memo->pc == pc && (memo->sp_and_flags ^ sp) <= MemoFrame::kFlags &&
                    hint < kept_ &&
                    ((memo->sp_and_flags & MemoFrame::kFpMatters) == 0 ||
                     memo_.details[hint].fp == fp)) {
                    frame_ = {pc, sp, fp};
                    kept_ = hint + 1;
                    fresh_count_ = static_cast<uint32_t>(next - fresh_);
                    return true;
                }
                *next++ = {{pc, sp, fp}, {}};
            }
            step_first = false;
            if (next != limit) [[likely]] {
                const PackedRule rule = packed_rule(pc - 1, epoch);
                const uintptr_t cfa = sp + rule.cfa_above_sp();
                if (rule.is_usual() && cfa <= end) [[likely]] {
                    const auto word = [](uintptr_t at) {
                        return *reinterpret_cast<const uintptr_t*>(at);
                    };
                    const uintptr_t caller = word(cfa - sizeof(uintptr_t));
                    if (plausible_code(caller)) [[likely]] {
                        if (rule.saves_fp()) {
                            const uintptr_t slot = cfa - rule.fp_below_cfa();
                            next[-1].inputs = {StepInputs::kUnused, slot};
                            fp = word(slot);
                        }
                        pc = caller;
                        sp = cfa;
                        continue;
                    }
                }
            }
            fresh_count_ = static_cast<uint32_t>(next - fresh_);
            if (!take_step()) return false;
            pc = frame_.pc;
            sp = frame_.sp;
            fp = frame_.fp;
            end = usual_end();
        }
    }

    // Below it the stack may be read without asking, by a walk at frame_ whose rule is a usual one.
    // 0 where that rule is not the one for pc - 1, or no rule is known.
    uintptr_t usual_end() const {
        const bool usual = aligned(frame_.sp) && (frame_.pc & trace::kExactPc) == 0 && !closing_;
        return usual ? stack_.readable_end() : 0;
    }

    // Stands at memo frame kept_ - 1. True: the memo holds from here outwards, the capture is
    // complete. False: the frames up to the one where it ends are fresh now.
    bool follow_memo() {
        const uint32_t total = fresh_count_ + kept_;
        added_ = total <= memo_.capacity;
        if (added_) [[likely]] {
            path_ = add_fresh();
            prefetch_stack(path_);
        }
        const uint32_t at = all_slots_hold() ? 0
                            : foreign_       ? last_that_holds<true>()
                                             : last_that_holds<false>();
        // A stack of as many frames as may be kept is cut, whether or not one more would have been.
        if (at == 0 && added_ && (total == memo_.capacity) == (memo_.end == trace::kStackCut) &&
            end_holds()) {
            return true;
        }
        added_ = false;
        // The agreement ends at `at`, or the stack is cut elsewhere: take over what held.
        uintptr_t fp = frame_.fp;
        for (uint32_t i = kept_ - 1; fresh_count_ < memo_.capacity; i--) {
            const MemoFrame& frame = memo_.frames[i];
            const StepInputs& inputs = memo_.details[i].inputs;
            fresh_[fresh_count_++] = {{frame.pc, frame.sp(), fp}, inputs};
            kept_ = i;
            if (i == at) break;
            fp = callers_fp(fresh_[fresh_count_ - 1]);
        }
        return false;
    }

    // Whether everything outwards of memo frame kept_ - 1 is still true; false too where that takes
    // more than a look at the slots.
    bool all_slots_hold() const {
        const uint32_t count = memo_.details[kept_ - 1].slots;
        if (count == MemoDetail::kNotAllSlots || foreign_) [[unlikely]]
            return false;
        uintptr_t changed = 0;
        const MemoSlot* const end = memo_.slots + count;
#pragma GCC unroll 4
        for (const MemoSlot* slot = memo_.slots; slot != end; slot++) {
            changed |= *reinterpret_cast<const uintptr_t*>(slot->address) ^ slot->value;
        }
        return changed == 0;
    }

    // The outermost memo frame, from kept_ - 1 outwards, that is still true.
    template <bool kForeign>
    uint32_t last_that_holds() {
        uint32_t at = kept_ - 1;
        MemoFrame frame = memo_.frames[at];
        while (at != 0) {
            const MemoFrame caller = memo_.frames[at - 1];
            const uintptr_t special =
                frame.sp_and_flags & (MemoFrame::kCheckFp | MemoFrame::kRetake);
            if (special & MemoFrame::kRetake) [[unlikely]] {
                if (!retaken_holds(at)) break;
            } else {
                if (word_at<kForeign>(caller.sp() - sizeof(uintptr_t)) != caller.pc) break;
                if (special != 0 && word_at<kForeign>(memo_.details[at].inputs.fp_slot()) !=
                                        memo_.details[at - 1].fp) {
                    break;
                }
            }
            at--;
            frame = caller;
        }
        return at;
    }

    // What a slot holds; 0, which no return address is, where it may not be read.
    template <bool kForeign>
    uintptr_t word_at(uintptr_t address) {
        if (!kForeign) return *reinterpret_cast<const uintptr_t*>(address);
        uintptr_t value = 0;
        return stack_.read(address, value) ? value : 0;
    }

    Registers memo_registers(uint32_t at) const {
        return {memo_.frames[at].pc, memo_.frames[at].sp(), memo_.details[at].fp};
    }

    bool retaken_holds(uint32_t at) {
        Registers stepped = memo_registers(at);
        StepInputs inputs;
        if (step_to_caller(stepped, stack_, own_, probe_, inputs) != Step::kCaller) return false;
        const Registers caller = memo_registers(at - 1);
        const bool fp_matters = (memo_.frames[at - 1].sp_and_flags & MemoFrame::kFpMatters) != 0;
        return stepped.pc == caller.pc && stepped.sp == caller.sp &&
               (!fp_matters || stepped.fp == caller.fp);
    }

    // The fp of the caller of a frame whose registers are true and whose step is known to hold.
    uintptr_t callers_fp(const FreshFrame& frame) {
        Registers stepped = frame.registers;
        if (frame.inputs.retake()) {
            StepInputs inputs;
            step_to_caller(stepped, stack_, own_, probe_, inputs);
        } else if (frame.inputs.fp_slot() != 0 &&
                   !stack_.read(frame.inputs.fp_slot(), stepped.fp)) {
            stepped.fp = 0;  // which nothing is computed from: the walk will be lost there
        }
        return stepped.fp;
    }

    bool end_holds() {
        switch (memo_.last_step) {
            case Step::kCaller:  // the cut: nothing was read beyond it
            case Step::kOutermost:
                return true;
            default: {
                Registers stepped = memo_registers(0);
                StepInputs inputs;
                return step_to_caller(stepped, stack_, own_, probe_, inputs) == memo_.last_step;
            }
        }
    }

    // From the last fresh frame outwards, whatever it takes. False at the stack's end, or the
    // limit.
    __attribute__((noinline)) bool take_step() {
        FreshFrame& from = fresh_[fresh_count_ - 1];
        if (fresh_count_ == memo_.capacity) {
            from.inputs = {};
            return stop(Step::kCaller, trace::kStackCut);
        }
        frame_ = from.registers;
        const Step step = step_to_caller(frame_, stack_, own_, probe_, from.inputs);
        switch (step) {
            case Step::kCaller:
                // A signal handler may have run on another stack than what it interrupted.
                if (frame_.pc & trace::kExactPc) {
                    keep_ = keep_ && own_.holds(from.registers.sp) && own_.holds(frame_.sp);
                }
                keep_ = keep_ && aligned(frame_.sp);
                return true;
            case Step::kLost:
                return stop(step, trace::kStackLost);
            default:
                return stop(step, trace::kStackComplete);
        }
    }

    bool stop(Step step, trace::StackEnd end) {
        kept_ = 0;
        memo_.end = end;
        memo_.last_step = step;
        return false;
    }

    // Makes the memo what this stack is, and finds its id.
    uint32_t finish() {
        const bool unchanged = fresh_count_ == 0 && kept_ == old_count_;
        const uint32_t base = kept_ != 0 ? memo_.id : uint32_t{memo_.end};
        const uint32_t drop = kept_ != 0 ? old_count_ - kept_ : 0;
        if (!added_) path_ = add_fresh();
        kept_ += fresh_count_;
        uint32_t id = unchanged ? memo_.id : find_stack(path_);
        if (id == 0) [[unlikely]]
            id = define(
                {base, drop, memo_.epoch, &fresh_->registers.pc, fresh_count_, sizeof(FreshFrame)},
                path_);
        memo_.id = id;
        memo_.count = id != 0 ? kept_ : 0;
        return id;
    }

    // The fresh frames become the memo's, from kept_ on. Returns the path of the innermost. Early:
    // the stack table is far away, and the check of the memo takes as long as the way there.
    PathHash add_fresh() {
        const FreshFrame* fresh = fresh_ + fresh_count_;
        MemoFrame* frame = memo_.frames + kept_;
        MemoDetail* detail = memo_.details + kept_;
        MemoSlot* const all_slots = memo_.slots;
        if (kept_ == 0) {
            // Outwards of the outermost frame a step that may end otherwise next time is taken
            // again.
            const bool fp_matters =
                memo_.last_step == Step::kNoCaller || memo_.last_step == Step::kLost;
            const auto& [registers, inputs] = *--fresh;
            const PathHash path = PathHash::of_end(memo_.end, memo_.epoch).with(registers.pc);
            memo_.hint(registers.sp) = 0;
            *frame++ = {registers.pc, registers.sp | (fp_matters ? MemoFrame::kFpMatters : 0)};
            *detail++ = {registers.fp, inputs, path.high, path.low, 0};
        }
        uintptr_t caller_pc = frame[-1].pc, caller_sp = frame[-1].sp(), caller_fp = detail[-1].fp;
        uintptr_t fp_matters = (frame[-1].sp_and_flags & MemoFrame::kFpMatters) != 0;
        PathHash path = detail[-1].path();
        uint32_t slots = detail[-1].slots;
        while (fresh != fresh_) {
            const auto& [registers, inputs] = *--fresh;
            const uintptr_t check_fp = inputs.fp_slot() != 0 ? fp_matters : 0;
            if (inputs.retake()) [[unlikely]]
                slots = MemoDetail::kNotAllSlots;
            if (slots != MemoDetail::kNotAllSlots) [[likely]] {
                // The second one only counts where fp is to be checked.
                all_slots[slots] = {caller_sp - sizeof(uintptr_t), caller_pc};
                all_slots[slots + 1] = {inputs.fp_slot(), caller_fp};
                slots += 1 + static_cast<uint32_t>(check_fp);
            }
            const uintptr_t use = inputs.fp_use();
            fp_matters = use == StepInputs::kPassedOn ? fp_matters : use / StepInputs::kUsed;
            uintptr_t flags = check_fp * MemoFrame::kCheckFp + fp_matters * MemoFrame::kFpMatters;
            if (inputs.retake()) [[unlikely]]
                flags |= MemoFrame::kRetake;
            caller_pc = registers.pc;
            caller_sp = registers.sp;
            caller_fp = registers.fp;
            path = path.with(caller_pc);
            memo_.hint(caller_sp) = static_cast<uint16_t>(frame - memo_.frames);
            *frame++ = {caller_pc, caller_sp | flags};
            *detail++ = {caller_fp, inputs, path.high, path.low, slots};
        }
        return path;
    }

    __attribute__((noinline)) uint32_t define(NewStack stack, const PathHash& path) {
        if (stack.count == 0) {
            // Nothing but an outer part of the last stack: one frame has to be named.
            stack.frames = &memo_.frames[kept_ - 1].pc;
            stack.count = 1;
            stack.drop++;
        }
        return define_stack(log_, stack, path);
    }

    StackMemo& memo_;
    StackLog& log_;
    OwnStack& own_;
    bool probe_;
    ReadableStack stack_;
    Registers frame_;
    const bool foreign_;
    bool keep_;
    const bool closing_;  // a dlclose is under way: no rule is known
    FreshFrame* const fresh_ = memo_.fresh;
    uint32_t fresh_count_ = 0;
    const uint32_t old_count_;
    uint32_t kept_;       // memo frames [0, kept_) may still be met
    bool added_ = false;  // the fresh frames stand in the memo, and path_ is the whole stack's
    PathHash path_;
};

}  // namespace

uint32_t capture_stack(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo,
                       StackLog& log) {
    const uint32_t generation = process.generation;
    uint32_t id = 0, walk = 0;
    bool keep = false;
    const auto undisturbed = [&] { return generation == process.generation && walk == memo.walks; };
    // Again where a library was found under way to be another than before.
    for (int tries = 0; tries < 3 && (tries == 0 || memo.epoch != module_epoch()); tries++) {
        const uint32_t epoch = module_epoch();
        if (memo.epoch != epoch) [[unlikely]] {
            memo.count = 0;
            memo.epoch = epoch;
        }
        walk = ++memo.walks;
        Capture capture(site, own, probe, memo, log);
        id = capture.run();
        keep = capture.keep();
        if (!undisturbed()) break;
    }
    // Forked by a handler meanwhile: the ids are of two traces. Or so many handlers on top of each
    // other that the last had to take this memo.
    if (!undisturbed()) [[unlikely]] {
        memo.count = 0;
        id = 0;
    }
    check_stack(site, memo, id);
    if (!keep) [[unlikely]]
        memo.count = 0;
    return id;
}

}  // namespace lastref
