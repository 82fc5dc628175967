#include "hook_events.h"

#include "hook_counter.h"
#include "hook_modules.h"
#include "hook_notes.h"
#include "hook_thread.h"
#include "recorder.h"
#include "session.h"
#include "text.h"

namespace lastref::hooks {
namespace {

trace::Op op_of(Operation operation) {
    switch (operation) {
        case Operation::kCreate:
        case Operation::kCreateIfNew:
            return trace::Op::kCreate;
        case Operation::kRetain:
            return trace::Op::kRetain;
        case Operation::kRelease:
            return trace::Op::kRelease;
        case Operation::kMove:
            return trace::Op::kMove;
        case Operation::kDestroy:
        case Operation::kDestroyIfTracked:
            return trace::Op::kDestroy;
        default:
            return trace::Op::kTouch;
    }
}

// While this lives, hooks deeper on this stack know that they may be called by what records.
class Busy {
public:
    Busy() : outer_sp_(t_hooks.busy_sp), outer_depth_(t_hooks.busy_depth) {
        const auto sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
        t_hooks.busy_depth = t_hooks.is_busy_above(sp) ? outer_depth_ + 1 : 1;
        t_hooks.busy_sp = sp;
    }
    ~Busy() {
        t_hooks.busy_sp = outer_sp_;
        t_hooks.busy_depth = outer_depth_;
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    const uintptr_t outer_sp_;
    const uint32_t outer_depth_;
};

}  // namespace

void record_event(void* argument) {
    HookEvent& event = *static_cast<HookEvent*>(argument);
    HookedType& type = *event.binding->type;
    Busy busy;
    check_counter(event);
    recorder::Hooked hooked = {type.name, type.flags, event.count};
    // The analyzer learns later what to think of it; a sample's buffers end here and now.
    if (event.counted && (!sampling() || type.counter_followed.load(std::memory_order_relaxed)))
        hooked.flags |= trace::kCountKnown;
    if (!event.counted && event.operation == Operation::kCreate) hooked.flags = 0;
    if (event.returned) hooked.flags |= trace::kReturned;
    if (event.operation == Operation::kDestroyIfTracked) hooked.flags |= trace::kIfLive;
    recorder::hooked_event(op_of(event.operation), reinterpret_cast<void*>(event.identity), hooked,
                           event.site);
}

// The first time, and each time their number has doubled.
void record_bad_pointer(void* argument) {
    const BadPointer& bad = *static_cast<BadPointer*>(argument);
    if ((bad.times & (bad.times - 1)) != 0) return;
    Busy busy;
    const Rule& rule = *bad.binding->rule;
    char place[400];
    Text text(place, sizeof(place));
    text.add(table.rules->files[rule.file]).add(':').add_number(rule.line);
    note(trace::HookFact::kBadPointer, bad.binding->function, static_cast<int64_t>(bad.times),
         place);
}

void lose_nested_event(void*) {
    count_loss(trace::Loss::kNested);
}

void hook_function_pointer(void* argument) {
    const HookEvent& event = *static_cast<HookEvent*>(argument);
    Busy busy;
    hook_function_at(event.function_pointer, *event.pointer_rule);
}

}  // namespace lastref::hooks
