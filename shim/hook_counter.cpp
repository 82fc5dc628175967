#include "hook_counter.h"

#include "hook_notes.h"
#include "hook_thread.h"

namespace lastref::hooks {
namespace {

constexpr int64_t kMostPlausible = 1 << 28;
constexpr uint32_t kFewestSteps = 8;  // with less, threads that raced look like a wrong counter
constexpr uint32_t kEnoughSteps = 64;

bool creates(const HookEvent& event) {
    return event.operation == Operation::kCreate || event.operation == Operation::kCreateIfNew;
}

bool plausible(const HookEvent& event) {
    if (event.count > kMostPlausible) return false;
    return creates(event) ? event.count > 0 : event.count >= -1;
}

void refuse(HookedType& type, int64_t count, const char* reason) {
    if (type.counter_trusted.exchange(false))
        note(trace::HookFact::kNoCounter, type.name.text, count, reason);
}

void follow(HookedType& type) {
    if (!type.counter_followed.exchange(true))
        note(trace::HookFact::kCounterFollowed, type.name.text, 0, "");
}

// Two events on end of one buffer in one thread: the second reading shows what the first step did.
void check_step(HookedType& type, const HookEvent& event) {
    if (event.count == t_hooks.count_expected) {
        const uint32_t met = type.steps_met.fetch_add(1, std::memory_order_relaxed) + 1;
        if (met >= kEnoughSteps) type.counter_settled.store(true, std::memory_order_relaxed);
        return follow(type);
    }
    const uint32_t missed = type.steps_missed.fetch_add(1, std::memory_order_relaxed) + 1;
    if (missed >= kFewestSteps && missed / kFewestSteps > type.steps_met.load())
        refuse(type, event.count, "it does not follow the operations; it is not read any more");
}

}  // namespace

void check_counter(HookEvent& event) {
    HookedType& type = *event.binding->type;
    const bool settled = type.counter_settled.load(std::memory_order_relaxed);
    if (event.counted && !plausible(event)) [[unlikely]] {
        event.counted = false;
        if (!settled)
            refuse(type, event.count, "that is no reference count; it is not read any more");
    }
    if (settled) [[likely]]
        return;
    HookThread& thread = t_hooks;
    const bool known_before = thread.stepped_identity == event.identity;
    thread.stepped_identity = 0;
    if (!event.counted) return;
    if (creates(event)) {
        if (event.count != 1) return;
        type.counter_settled.store(true, std::memory_order_relaxed);
        return follow(type);
    }
    if (known_before) check_step(type, event);
    if (event.operation != Operation::kRetain && event.operation != Operation::kRelease) return;
    thread.count_expected = event.count + (event.operation == Operation::kRetain ? 1 : -1);
    if (thread.count_expected > 0) thread.stepped_identity = event.identity;
}

}  // namespace lastref::hooks
