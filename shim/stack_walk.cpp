#include "stack_walk.h"

#include <string.h>

#include "module_table.h"
#include "session.h"
#include "stack_check.h"

namespace lastref {
namespace {

// No other walk with the memo came since, and the process is the same.
bool is_last(const LookedAt& looked) {
    return looked.number == looked.memo->walks && looked.generation == process.generation;
}

// The id of a stack that find_stack() does not know. add_fresh() made the walk the memo's; the
// stack before had `old_count` frames, and is still what memo.id says.
[[gnu::noinline]] uint32_t define(const Walk& walk, StackMemo& memo, uint32_t old_count,
                                  const PathHash& path, StackLog& log) {
    NewStack stack = {memo.end, 0, memo.epoch, &memo.fresh->pc, walk.fresh, sizeof(FreshFrame)};
    if (walk.kept != 0) {
        stack.base = memo.id;
        stack.drop = old_count - walk.kept;
    }
    if (walk.fresh == 0) {
        // Nothing but an outer part of the last stack: one frame has to be named.
        stack.frames = &memo.frames[walk.kept - 1].pc;
        stack.count = 1;
        stack.drop++;
    }
    return define_stack(log, stack, path);
}

[[gnu::always_inline]] inline uint32_t find_or_define(const Sighting& seen, StackMemo& memo,
                                                      StackLog& log) {
    if (seen.walk.fresh == 0 && seen.walk.kept == seen.old_count) return memo.id;
    if (const uint32_t id = find_stack(seen.line, seen.path)) [[likely]]
        return id;
    return define(seen.walk, memo, seen.old_count, seen.path, log);
}

// A capture by every means, for what is not usual.
class Capture {
public:
    Capture(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo)
        : memo_(memo),
          own_(own),
          probe_(probe),
          stack_(own, site.sp, probe, true),
          foreign_(!own.holds(site.sp)),
          keep_(aligned(site.sp)),
          closing_(modules_closing()),
          old_count_(memo.foreign == foreign_ && keep_ && !closing_ && !may_be_replaced(memo)
                         ? memo.count
                         : 0),
          walk_{{site.pc, site.sp, site.fp}, 0, old_count_} {
        memo_.count = 0;  // until all is well: a handler may leave us by longjmp
        memo_.foreign = foreign_;
        if (old_count_ == 0) memo_.by_fp = false;
    }

    // Goes on with what was begun in the usual way.
    void take_over(const Walk& walk, uint32_t old_count) {
        walk_ = walk;
        old_count_ = old_count;
    }

    // Afterwards memo.frames and memo.count are this stack, where its id is not 0.
    uint32_t run(At at, StackLog& log) {
        for (;;) {
            if (at == At::kStart) at = walk_on(walk_, memo_, usual_end());
            if (at == At::kMemo) {
                if (follow_memo()) break;
                at = At::kLastFresh;
            }
            if (!take_step()) break;
            at = At::kStart;
        }
        const PathHash path = add_fresh(walk_, memo_);
        memo_.seen = {path, process.session->stacks.first_line(path), walk_, old_count_, At::kMemo,
                      true};
        memo_.id = find_or_define(memo_.seen, memo_, log);
        memo_.count = memo_.id != 0 ? walk_.kept + walk_.fresh : 0;
        return memo_.id;
    }

    // Whether the memo may serve the next walk.
    bool keep() const { return keep_ && !closing_; }

private:
    // Below it the stack may be read without asking, by a walk at its frame whose rule is a usual
    // one. 0 where that rule is not the one for pc - 1, or no rule is known.
    uintptr_t usual_end() const {
        const bool usual =
            aligned(walk_.frame.sp) && (walk_.frame.pc & trace::kExactPc) == 0 && !closing_;
        return usual ? stack_.readable_end() : 0;
    }

    // Stands at memo frame kept - 1. True: the memo holds from here outwards. False: the frames up
    // to the one where it ends are fresh now.
    bool follow_memo() {
        const uint32_t last = walk_.kept - 1;
        const uint32_t at = !foreign_ && all_slots_hold(memo_, last) ? 0
                            : foreign_                               ? last_that_holds<true>()
                                                                     : last_that_holds<false>();
        if (at == 0 && ends_alike(memo_, walk_.fresh + walk_.kept) && end_holds()) return true;
        // The agreement ends at `at`, or the stack is cut elsewhere: take over what held.
        uintptr_t fp = walk_.frame.fp;
        for (uint32_t i = last; walk_.fresh < memo_.capacity; i--) {
            FreshFrame& taken = memo_.fresh[walk_.fresh++];
            taken = {memo_.frames[i], fp, memo_.rest[i].inputs};
            walk_.kept = i;
            if (i == at) break;
            fp = callers_fp(taken);
        }
        return false;
    }

    // The outermost memo frame, from kept - 1 outwards, that is still true.
    template <bool kForeign>
    uint32_t last_that_holds() {
        uint32_t at = walk_.kept - 1;
        while (at != 0) {
            const MemoRest& step = memo_.rest[at];
            const MemoFrame& caller = memo_.frames[at - 1];
            if (step.facts() & MemoRest::kRetake) {
                if (!retaken_holds(at)) break;
            } else {
                if (word_at<kForeign>(caller.sp - sizeof(uintptr_t)) != caller.pc) break;
                if ((step.facts() & MemoRest::kCheckFp) != 0 &&
                    word_at<kForeign>(step.inputs.fp_slot()) != memo_.rest[at - 1].fp) {
                    break;
                }
            }
            at--;
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

    bool retaken_holds(uint32_t at) {
        Registers stepped = memo_.registers(at);
        StepInputs inputs;
        if (step_to_caller(stepped, stack_, own_, probe_, inputs) != Step::kCaller) return false;
        const MemoFrame& caller = memo_.frames[at - 1];
        return stepped.pc == caller.pc && stepped.sp == caller.sp &&
               (!memo_.rest[at - 1].fp_matters() || stepped.fp == memo_.rest[at - 1].fp);
    }

    // The fp of the caller of a frame whose registers are true and whose step is known to hold.
    uintptr_t callers_fp(const FreshFrame& frame) {
        Registers stepped = {frame.pc, frame.sp, frame.fp};
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
        if (end_is_sure(memo_)) return true;
        Registers stepped = memo_.registers(0);
        StepInputs inputs;
        return step_to_caller(stepped, stack_, own_, probe_, inputs) == memo_.last_step;
    }

    // From the last fresh frame outwards, whatever it takes. False at the stack's end, or the
    // limit.
    bool take_step() {
        FreshFrame& from = memo_.fresh[walk_.fresh - 1];
        if (walk_.fresh == memo_.capacity) {
            from.inputs = {};
            return stop(Step::kCaller, trace::kStackCut);
        }
        walk_.frame = {from.pc, from.sp, from.fp};
        const uint32_t unmaps = unmap_generation.load(std::memory_order_acquire);
        const Step step = step_to_caller(walk_.frame, stack_, own_, probe_, from.inputs);
        if (from.inputs.fp_use() == StepInputs::kUsed && !memo_.by_fp) {
            memo_.by_fp = true;
            memo_.unmaps = unmaps;
        }
        switch (step) {
            case Step::kCaller:
                // A signal handler may have run on another stack than what it interrupted.
                if (walk_.frame.pc & trace::kExactPc) {
                    keep_ = keep_ && own_.holds(from.sp) && own_.holds(walk_.frame.sp);
                }
                if (!aligned(walk_.frame.sp)) {
                    keep_ = false;
                    walk_.kept = 0;  // no memo frame is like it, or lies outwards
                }
                return true;
            case Step::kLost:
                return stop(step, trace::kStackLost);
            default:
                return stop(step, trace::kStackComplete);
        }
    }

    bool stop(Step step, trace::StackEnd end) {
        walk_.kept = 0;
        memo_.end = end;
        memo_.last_step = step;
        return false;
    }

    StackMemo& memo_;
    OwnStack& own_;
    bool probe_;
    ReadableStack stack_;
    const bool foreign_;
    bool keep_;
    const bool closing_;  // a dlclose is under way: no rule is known
    uint32_t old_count_;
    Walk walk_;
};

// What is done by it, from where the sighting came to. `generation` is the process' at the begin.
[[gnu::noinline]] uint32_t capture_by_every_means(const CallSite& site, OwnStack& own, bool probe,
                                                  const LookedAt& looked, StackLog& log,
                                                  uint32_t generation) {
    StackMemo& memo = *looked.memo;
    uint32_t id = 0;
    bool keep = false;
    const Sighting seen = memo.seen;
    At at = seen.whole ? At::kMemo : seen.at;
    if (!is_last(looked)) {
        memo.walks++;
        at = At::kStart;
    }
    const uint32_t number = memo.walks;
    const auto undisturbed = [&] {
        return generation == process.generation && number == memo.walks;
    };
    // Again where a library was found under way to be another than before.
    for (int tries = 0; tries < 3 && (tries == 0 || memo.epoch != module_epoch()); tries++) {
        const uint32_t epoch = module_epoch();
        if (memo.epoch != epoch) [[unlikely]] {
            memo.count = 0;
            memo.epoch = epoch;
            memset(memo.rules, 0, sizeof(*memo.rules));
            at = At::kStart;
        }
        if (!undisturbed()) break;
        Capture capture(site, own, probe, memo);
        if (at != At::kStart) capture.take_over(seen.walk, seen.old_count);
        id = capture.run(at, log);
        keep = capture.keep();
        if (!undisturbed()) break;
        at = At::kStart;
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

}  // namespace

uint32_t capture_stack(const CallSite& site, OwnStack& own, bool probe, const LookedAt& looked,
                       StackLog& log) {
    const uint32_t generation = process.generation;
    StackMemo& memo = *looked.memo;
    const Sighting& seen = memo.seen;
    if (is_last(looked) && seen.whole) [[likely]] {
        const uint32_t count = seen.walk.kept + seen.walk.fresh;
        const uint32_t id = find_or_define(seen, memo, log);
        if (is_last(looked) && memo.epoch == module_epoch()) [[likely]] {
            memo.id = id;
            memo.count = id != 0 ? count : 0;
            check_stack(site, memo, id);
            return id;
        }
    }
    return capture_by_every_means(site, own, probe, looked, log, generation);
}

}  // namespace lastref
