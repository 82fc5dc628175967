// Runs at a hooked function's entry and return: its rules' expressions are evaluated, and the
// result becomes an event. Called by hook_stub.S.
//
// Compiled for general registers only: vector registers hold the function's arguments. The way from
// the entry to 'nothing to record' (a null pointer released, a condition not met) is here;
// recording is in hook_events.cpp, behind lastref_hook_with_vectors.
#include <stdint.h>

#include "hook_events.h"
#include "hook_table.h"
#include "hook_thread.h"
#include "session.h"

// Where the shim begins, and where its code ends; the linker's.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[], etext[];

namespace lastref::hooks {

constinit thread_local HookThread t_hooks{};

namespace {

constexpr unsigned kArguments = 6;
constexpr unsigned kMostBusy = lastref::kLogs;  // a handler in a handler
constexpr unsigned kSwaps = 4;                  // rules for both entry and return, per function

}  // namespace

// hook_stub.S knows these offsets.
struct HookFrame {
    uint64_t rax;
    uint64_t argument[kArguments];  // rdi, rsi, rdx, rcx, r8, r9
    uint64_t r10, r11;
    uint64_t go_on;
    uint64_t returned, returned_high;
    uint64_t stack_words;
    uint64_t creates;  // of the thread, at the entry
    uintptr_t before[kSwaps];
    uintptr_t outer_nest_identity, outer_nest_sp;
    uint64_t outer_nest_operation;
    uint64_t unused;
    uintptr_t caller_fp;
    uint64_t index;
    uintptr_t return_address;
    uint64_t stack[1];  // and more
};
static_assert(offsetof(HookFrame, go_on) == 72 && offsetof(HookFrame, returned) == 80);
static_assert(offsetof(HookFrame, stack_words) == 96 && offsetof(HookFrame, caller_fp) == 176);

namespace {

Read evaluate(const Expression& expression, const HookFrame& frame, uintptr_t identity,
              HookThread& thread, int64_t& value) {
    switch (expression.base) {
        case Base::kArgument:
            value = static_cast<int64_t>(frame.argument[expression.index]);
            break;
        case Base::kReturn:
            value = static_cast<int64_t>(frame.returned);
            break;
        case Base::kStackWord:
            value = static_cast<int64_t>(frame.stack[expression.index]);
            break;
        case Base::kIdentity:
            value = static_cast<int64_t>(identity);
            break;
        default:
            value = expression.number;
            break;
    }
    for (unsigned i = 0; i < expression.steps; i++) {
        const Step& step = expression.step[i];
        if (!step.load) {
            value += step.offset;
            continue;
        }
        const Read read = read_memory(thread, static_cast<uintptr_t>(value), step.width, value);
        if (read != Read::kDone) return read;
    }
    return Read::kDone;
}

bool holds(const Condition& condition, int64_t left) {
    switch (condition.comparison) {
        case Comparison::kEqual:
            return left == condition.right;
        case Comparison::kNotEqual:
            return left != condition.right;
        case Comparison::kLess:
            return left < condition.right;
        case Comparison::kLessEqual:
            return left <= condition.right;
        case Comparison::kMore:
            return left > condition.right;
        case Comparison::kMoreEqual:
            return left >= condition.right;
        case Comparison::kBits:
            return (left & condition.right) != 0;
    }
    return false;
}

bool all_hold(const Condition* conditions, unsigned count, const HookFrame& frame,
              uintptr_t identity, HookThread& thread, Read& read) {
    for (unsigned i = 0; i < count; i++) {
        int64_t left = 0;
        read = evaluate(conditions[i].left, frame, identity, thread, left);
        if (read != Read::kDone || !holds(conditions[i], left)) return false;
    }
    return true;
}

__attribute__((noinline)) uintptr_t identify_by_rule(const Binding& binding, const HookFrame& frame,
                                                     HookThread& thread) {
    const Rule& rule = *binding.rule;
    int64_t value = 0;
    Read read = evaluate(rule.identity, frame, 0, thread, value);
    const auto identity = static_cast<uintptr_t>(value);
    if (read == Read::kDone && identity != 0) {
        const Type& type = *binding.type->rules;
        if ((rule.conditions == 0 ||
             all_hold(rule.condition, rule.conditions, frame, identity, thread, read)) &&
            (type.conditions == 0 ||
             all_hold(type.condition, type.conditions, frame, identity, thread, read))) {
            return identity;
        }
    }
    if (read == Read::kBad) [[unlikely]] {
        BadPointer bad = {&binding, binding.bad_pointers.fetch_add(1) + 1};
        lastref_hook_with_vectors(record_bad_pointer, &bad);
    }
    return 0;
}

// The identity that the rule is about at this moment; 0: none.
inline uintptr_t identify(const Binding& binding, const HookFrame& frame, HookThread& thread) {
    if (binding.argument != Binding::kComputed && !binding.conditional) [[likely]]
        return frame.argument[binding.argument];
    return identify_by_rule(binding, frame, thread);
}

inline void read_counter(const HookedType& type, uintptr_t identity, HookThread& thread,
                         HookEvent& event) {
    const Counter& counter = type.counter;
    if (!counter.known || !type.counter_trusted.load(std::memory_order_relaxed)) return;
    int64_t value = 0;
    const uintptr_t address = identity + static_cast<uintptr_t>(intptr_t{counter.offset});
    if (read_memory(thread, address, counter.width, value) != Read::kDone) return;
    event.counted = true;
    event.count = counter.negated ? -value : value;
}

HookEvent make_event(const Binding& binding, const HookFrame& frame, uintptr_t identity) {
    HookEvent event;
    event.binding = &binding;
    event.operation = binding.operation;
    event.identity = identity;
    event.site = {frame.return_address, reinterpret_cast<uintptr_t>(frame.stack), frame.caller_fp};
    event.counted = event.returned = false;
    event.count = 0;
    event.function_pointer = 0;
    return event;
}

// The function pointer that a rule of this type looks for, in this call's terms.
void look_for_pointer(const HookFrame& frame, HookThread& thread, HookEvent& event) {
    const HookedType& type = *event.binding->type;
    for (const Binding* wanted = type.pointers; wanted; wanted = wanted->next) {
        int64_t value = 0;
        if (evaluate(wanted->rule->pointer, frame, event.identity, thread, value) == Read::kDone &&
            value != 0 && !knows_function(static_cast<uintptr_t>(value), *wanted)) {
            event.function_pointer = static_cast<uintptr_t>(value);
            event.pointer_rule = wanted;
            lastref_hook_with_vectors(hook_function_pointer, &event);
        }
    }
}

bool created_since(const HookThread& thread, uint64_t creates, uintptr_t identity) {
    uint64_t i = thread.creates;
    const uint64_t oldest = i > HookThread::kCreated ? i - HookThread::kCreated : 0;
    for (; i != oldest && i != creates; i--) {
        if (thread.created[(i - 1) % HookThread::kCreated] == identity) return true;
    }
    return false;
}

void emit(HookEvent& event, HookThread& thread) {
    if (event.operation == Operation::kCreate || event.operation == Operation::kCreateIfNew) {
        thread.created[thread.creates++ % HookThread::kCreated] = event.identity;
    }
    lastref_hook_with_vectors(record_event, &event);
}

bool is_nested(const HookThread& thread, const HookEvent& event) {
    return thread.nest_identity == event.identity && thread.nest_sp > event.site.sp &&
           thread.nest_operation == event.operation;
}

void at_entry(const Binding& binding, HookFrame& frame, HookThread& thread) {
    const uintptr_t identity = identify(binding, frame, thread);
    if (identity == 0) [[likely]]
        return;
    HookEvent event = make_event(binding, frame, identity);
    if (is_nested(thread, event)) return;
    // Before its creation an object has no count.
    if (event.operation != Operation::kCreate && event.operation != Operation::kCreateIfNew) {
        read_counter(*binding.type, identity, thread, event);
    }
    if (binding.nest) {
        thread.nest_identity = identity;
        thread.nest_sp = event.site.sp;
        thread.nest_operation = event.operation;
    }
    emit(event, thread);
    if (event.operation == Operation::kCreate) {
        look_for_pointer(frame, thread, event);
    }
}

void at_return(const Binding& binding, HookFrame& frame, HookThread& thread, unsigned swap) {
    const uintptr_t identity = identify(binding, frame, thread);
    if (binding.operation == Operation::kSwap) {
        const uintptr_t before = swap < kSwaps ? frame.before[swap] : identity;
        if (before == identity) return;
        if (before != 0) {
            HookEvent event = make_event(binding, frame, before);
            event.operation = Operation::kRelease;
            event.returned = true;
            emit(event, thread);
        }
        if (identity == 0 || created_since(thread, frame.creates, identity)) return;
        HookEvent event = make_event(binding, frame, identity);
        event.operation = Operation::kCreateIfNew;
        emit(event, thread);
        return;
    }
    if (binding.operation == Operation::kMove && binding.rule->when == When::kBoth) {
        const uintptr_t before = swap < kSwaps ? frame.before[swap] : 0;
        if (before == 0) return;
        HookEvent event = make_event(binding, frame, before);
        emit(event, thread);
        return;
    }
    if (identity == 0) return;
    HookEvent event = make_event(binding, frame, identity);
    if (is_nested(thread, event)) return;
    if (event.operation == Operation::kCreateIfNew &&
        created_since(thread, frame.creates, identity)) {
        return;
    }
    read_counter(*binding.type, identity, thread, event);
    // The record holds the count before the operation; here it is done already.
    if (event.operation == Operation::kRetain) event.count--;
    if (event.operation == Operation::kRelease) event.count++;
    emit(event, thread);
    if (event.operation == Operation::kCreate || event.operation == Operation::kCreateIfNew)
        look_for_pointer(frame, thread, event);
}

bool is_own_code(uintptr_t address) {
    const auto begin = reinterpret_cast<uintptr_t>(__ehdr_start);
    return address - begin < reinterpret_cast<uintptr_t>(etext) - begin;
}

}  // namespace
}  // namespace lastref::hooks

extern "C" {

using namespace lastref::hooks;

// Nonzero: the function is to be called, and lastref_hook_leave after it.
__attribute__((visibility("hidden"))) uint32_t lastref_hook_enter(HookFrame* frame) {
    const Patch& patch = table.patches[frame->index];
    frame->go_on = patch.go_on;
    if (patch.is_loader) [[unlikely]] {
        lastref_hook_with_vectors(loader_changed, nullptr);
        return 0;
    }
    HookThread& thread = t_hooks;
    if (!table.active.load(std::memory_order_relaxed) || !lastref::recording ||
        !lastref::may_call_kernel()) {
        return 0;
    }
    if (thread.is_busy_above(reinterpret_cast<uintptr_t>(frame))) [[unlikely]] {
        if (is_own_code(frame->return_address)) return 0;
        if (thread.busy_depth >= kMostBusy)
            return lastref_hook_with_vectors(lose_nested_event, nullptr), 0;
    }
    if (table.slots_pending.load(std::memory_order_relaxed)) [[unlikely]] {
        lastref_hook_with_vectors(replace_pending_slots, nullptr);
    }
    if (patch.calls) {
        frame->stack_words = patch.stack_words;
        frame->creates = thread.creates;
        frame->outer_nest_identity = thread.nest_identity;
        frame->outer_nest_sp = thread.nest_sp;
        frame->outer_nest_operation = static_cast<uint64_t>(thread.nest_operation);
        unsigned swap = 0;
        for (const Binding* b = patch.at_return; b; b = b->next) {
            if (b->rule->when == When::kBoth && swap < kSwaps)
                frame->before[swap++] = identify(*b, *frame, thread);
        }
    }
    for (const Binding* b = patch.at_entry; b; b = b->next) at_entry(*b, *frame, thread);
    return patch.calls;
}

__attribute__((visibility("hidden"))) void lastref_hook_leave(HookFrame* frame) {
    const Patch& patch = table.patches[frame->index];
    HookThread& thread = t_hooks;
    thread.nest_identity = frame->outer_nest_identity;
    thread.nest_sp = frame->outer_nest_sp;
    thread.nest_operation = static_cast<Operation>(frame->outer_nest_operation);
    if (!lastref::recording || !lastref::may_call_kernel()) return;
    unsigned swap = 0;
    for (const Binding* b = patch.at_return; b; b = b->next) {
        at_return(*b, *frame, thread, swap);
        if (b->rule->when == When::kBoth) swap++;
    }
}

}  // extern "C"
