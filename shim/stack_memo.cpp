#include "stack_memo.h"

#include "module_table.h"
#include "session.h"
#include "stack_check.h"
#include "stack_table.h"

namespace lastref {
namespace {

bool same(const Registers& a, const Registers& b) {
    return a.pc == b.pc && a.sp == b.sp && a.fp == b.fp;
}

uintptr_t word_at(uintptr_t address) {
    return *reinterpret_cast<const uintptr_t*>(address);
}

// One capture in the making.
class Capture {
public:
    Capture(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo)
        : memo_(memo),
          own_(own),
          probe_(probe),
          stack_(own, site.sp, probe, true),
          frame_{site.pc, site.sp, site.fp},
          kept_(memo.count) {
        memo_.count = 0;  // until all is well: a handler may leave us by longjmp
    }

    uint32_t run() {
        for (;;) {
            while (kept_ != 0 && memo_.frames[kept_ - 1].registers.sp < frame_.sp) kept_--;
            if (kept_ != 0 && same(memo_.frames[kept_ - 1].registers, frame_)) {
                if (follow_memo()) return finish();
                if (!take_step()) return finish();
                continue;
            }
            add_fresh(frame_);
            if (!take_step()) return finish();
        }
    }

private:
    // Stands at memo frame kept_ - 1. True: the memo holds from here outwards, the capture is
    // complete. False: the frames up to the one where it ends are fresh now, frame_ is that one.
    bool follow_memo() {
        uint32_t at = kept_ - 1;
        while (at != 0 && holds(at)) at--;
        const uint32_t total = fresh_count_ + kept_;
        if (at == 0 && end_holds()) {
            if (total <= memo_.capacity &&
                (memo_.end != trace::kStackCut || total == memo_.capacity)) {
                return true;
            }
        }
        // The agreement ends at `at`, or the stack is cut elsewhere: take over what held.
        uint32_t i = kept_;
        do {
            i--;
            fresh_[fresh_count_++] = memo_.frames[i];
        } while (i != at && fresh_count_ < memo_.capacity);
        kept_ = i;
        frame_ = memo_.frames[i].registers;
        return false;
    }

    // Whether the step from memo frame `at` still leads to memo frame at - 1.
    bool holds(uint32_t at) {
        const MemoFrame& frame = memo_.frames[at];
        const Registers& caller = memo_.frames[at - 1].registers;
        if (frame.inputs.kind == StepInputs::kChecked) [[likely]] {
            return word_at(caller.sp - sizeof(uintptr_t)) == caller.pc &&
                   (frame.inputs.fp_slot == 0 || word_at(frame.inputs.fp_slot) == caller.fp) &&
                   (frame.inputs.cfa_slot == 0 || word_at(frame.inputs.cfa_slot) == caller.sp);
        }
        Registers stepped = frame.registers;
        StepInputs inputs;
        return step_to_caller(stepped, stack_, own_, probe_, inputs) == Step::kCaller &&
               same(stepped, caller);
    }

    bool end_holds() {
        switch (memo_.last_step) {
            case Step::kCaller:  // the cut: nothing was read beyond it
            case Step::kOutermost:
                return true;
            default: {
                Registers stepped = memo_.frames[0].registers;
                StepInputs inputs;
                return step_to_caller(stepped, stack_, own_, probe_, inputs) == memo_.last_step;
            }
        }
    }

    void add_fresh(const Registers& registers) { fresh_[fresh_count_++].registers = registers; }

    // From the last fresh frame outwards. False at the stack's end, or the limit.
    bool take_step() {
        MemoFrame& from = fresh_[fresh_count_ - 1];
        frame_ = from.registers;
        if (fresh_count_ == memo_.capacity) {
            return stop(Step::kCaller, trace::kStackCut);
        }
        const Step step = step_to_caller(frame_, stack_, own_, probe_, from.inputs);
        switch (step) {
            case Step::kCaller:
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
        PathHash path =
            kept_ != 0 ? memo_.frames[kept_ - 1].path : PathHash::of_end(memo_.end, memo_.epoch);
        for (uint32_t i = fresh_count_; i != 0; i--) {
            path = path.with(fresh_[i - 1].registers.pc);
            fresh_[i - 1].path = path;
        }
        prefetch_stack(path);
        bool keep = true;
        for (uint32_t i = fresh_count_; i != 0; i--) {
            memo_.frames[kept_++] = fresh_[i - 1];
            // Beyond a signal handler's own stack: nothing that may be kept.
            keep = keep && own_.holds(fresh_[i - 1].registers.sp);
        }
        uint32_t id = find_stack(path);
        if (id == 0) id = add_stack();
        if (id != 0 && keep) memo_.count = kept_;
        return id;
    }

    // The stack was not seen before. Those of the memo's outer part were, mostly.
    __attribute__((noinline)) uint32_t add_stack() {
        uint32_t known = kept_;
        uint32_t id = 0;
        while (known != 0 && (id = find_stack(memo_.frames[known - 1].path)) == 0) known--;
        if (known == 0) id = memo_.end;
        NodeAdder adder;
        for (; known != kept_; known++) {
            const MemoFrame& frame = memo_.frames[known];
            id = adder.add(frame.path, id, frame.registers.pc);
            if (id == 0) return 0;
        }
        return id;
    }

    StackMemo& memo_;
    OwnStack& own_;
    bool probe_;
    ReadableStack stack_;
    Registers frame_;
    MemoFrame* const fresh_ = memo_.fresh;
    uint32_t fresh_count_ = 0;
    uint32_t kept_;  // memo frames [0, kept_) may still be met
};

}  // namespace

uint32_t capture_stack(const CallSite& site, OwnStack& own, bool probe, StackMemo& memo) {
    const uint32_t epoch = module_epoch();
    const bool keep = own.holds(site.sp) && !modules_closing();
    if (memo.epoch != epoch || !keep) [[unlikely]] {
        memo.count = 0;
        memo.epoch = epoch;
    }
    const uint32_t generation = process.generation;
    uint32_t id = Capture(site, own, probe, memo).run();
    if (generation != process.generation) [[unlikely]] {
        memo.count = 0;  // forked by a handler meanwhile: the ids are of two traces
        id = 0;
    }
    check_stack(site, memo, id);
    if (!keep) [[unlikely]]
        memo.count = 0;
    return id;
}

}  // namespace lastref
