// The hooks of this process: types, functions, and each function's rules.
//
// Written while hooks are installed (see hook_code.h about who may), read by every hooked call
// without a lock: an entry is complete before the jump to it is written. A forked child inherits
// all of it, as it inherits the code.
#ifndef LASTREF_SHIM_HOOK_TABLE_H
#define LASTREF_SHIM_HOOK_TABLE_H

#include <stdint.h>
#include <atomic>

#include "hook_rules.h"
#include "thread_log.h"

namespace lastref::hooks {

// The state of a type in this process.
struct HookedType {
    TypeName name;  // NUL-terminated
    const Type* rules;
    uint32_t flags;  // trace::CountedFlags of all its events
    Counter counter;
    // The state of the counter: see hook_counter.h.
    std::atomic<bool> counter_trusted;   // it is read
    std::atomic<bool> counter_followed;  // it has done what an operation does
    std::atomic<bool> counter_settled;   // so often that it is the counter
    std::atomic<uint32_t> steps_met, steps_missed;
    std::atomic<bool> partial;
    bool used;  // a library of its rules is or was loaded
    // Rules about function pointers, looked up at each create.
    const struct Binding* pointers;
};

// One rule at one function.
struct Binding {
    const Rule* rule;
    HookedType* type;
    const Binding* next;
    const char* function;  // its name, for what is said of it
    mutable std::atomic<uint64_t> bad_pointers;

    // The fields that each call needs, so that it has to look no further.
    static constexpr uint8_t kComputed = 0xff;
    Operation operation;
    bool nest;
    bool conditional;  // the rule or its type has conditions
    uint8_t argument;  // the identity is that argument as it is; kComputed: see the rule

    void set(const Rule& of, HookedType& its_type) {
        rule = &of;
        type = &its_type;
        operation = of.operation;
        nest = of.nest;
        conditional = of.conditions != 0 || its_type.rules->conditions != 0;
        const Expression& identity = of.identity;
        argument =
            identity.base == Base::kArgument && identity.steps == 0 ? identity.index : kComputed;
    }
};

struct Patch {
    uintptr_t entry;
    uintptr_t go_on;  // the moved first instructions; for a slot, the function that was in it
    uintptr_t code;   // what leads to the common stub, in a block of hook_code.h; 0: not hooked
    const Binding* at_entry;
    const Binding* at_return;
    size_t symbol_size;
    bool calls;  // comes back to us
    bool is_loader;
    bool is_slot;
    uint8_t stack_words;
    std::atomic<bool> installed;
};

struct HookTable {
    static constexpr uint32_t kPatches = 1u << 16;

    RuleSet* rules;
    HookedType* types;  // RuleSet::kTypes
    Patch* patches;     // kPatches
    uint32_t patch_count;
    uint32_t binding_count;
    std::atomic<bool> active;
    // Slots in a library that the loader reports before it relocates it: to be replaced soon after.
    std::atomic<bool> slots_pending;
};
extern HookTable table;

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_TABLE_H
