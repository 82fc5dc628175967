#include "hook_events.h"

#include "hook_modules.h"
#include "hook_notes.h"
#include "hook_thread.h"
#include "recorder.h"
#include "text.h"

namespace lastref::hooks {
namespace {

constexpr int64_t kMostPlausible = 1 << 28;

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

// A number that is no count means that the library's layout is another one.
bool plausible(const HookEvent& event) {
    if (event.count > kMostPlausible) return false;
    if (event.operation == Operation::kCreate) return event.count > 0;
    return event.count >= -1;
}

// While this lives, hooks deeper on this stack do nothing.
class Busy {
public:
    Busy() : outer_(t_hooks.busy_sp) {
        t_hooks.busy_sp = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    }
    ~Busy() { t_hooks.busy_sp = outer_; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    const uintptr_t outer_;
};

}  // namespace

void record_event(void* argument) {
    HookEvent& event = *static_cast<HookEvent*>(argument);
    HookedType& type = *event.binding->type;
    Busy busy;
    if (event.counted && !plausible(event)) [[unlikely]] {
        event.counted = false;
        if (type.counter_trusted.exchange(false)) {
            note(trace::HookFact::kNoCounter, type.name.text, event.count,
                 "that is no reference count; the counter is not read any more");
        }
    }
    recorder::Hooked hooked = {type.name, type.flags, event.count};
    if (event.counted) hooked.flags |= trace::kCountKnown;
    if (!event.counted && event.operation == Operation::kCreate) hooked.flags = 0;
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

void hook_function_pointer(void* argument) {
    const HookEvent& event = *static_cast<HookEvent*>(argument);
    Busy busy;
    hook_function_at(event.function_pointer, *event.pointer_rule);
}

}  // namespace lastref::hooks
