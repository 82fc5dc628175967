// From hooked calls to the trace: events found by hook_handler.cpp are recorded here, and functions
// that can't be hooked are noted.
#ifndef LASTREF_SHIM_HOOK_EVENTS_H
#define LASTREF_SHIM_HOOK_EVENTS_H

#include <stdint.h>

#include "hook_table.h"
#include "stack_capture.h"

namespace lastref::hooks {

struct HookEvent {
    const Binding* binding;
    Operation operation;
    bool counted;   // `count` is known
    bool returned;  // the operation was done while its function ran
    int64_t count;  // before the operation; a create: after
    uintptr_t identity;
    CallSite site;
    uintptr_t function_pointer;  // to be hooked by `pointer_rule`
    const Binding* pointer_rule;
};

struct BadPointer {
    const Binding* binding;
    uint64_t times;
};

// Each takes the structure of its name, for lastref_hook_with_vectors.
void record_event(void* event);           // HookEvent
void record_bad_pointer(void* bad);       // BadPointer
void hook_function_pointer(void* event);  // HookEvent
void replace_pending_slots(void*);        // nothing
void loader_changed(void*);               // nothing: the list of modules has changed
void lose_nested_event(void*);            // nothing: while an event is being recorded

// Whether a function pointer has been hooked, or tried to be, before.
bool knows_function(uintptr_t function, const Binding& rule);

}  // namespace lastref::hooks

// Saves the vector registers around function(argument).
extern "C" void lastref_hook_with_vectors(void (*function)(void*), void* argument);

#endif  // LASTREF_SHIM_HOOK_EVENTS_H
