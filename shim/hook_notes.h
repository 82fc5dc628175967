// Notes about hooks in the trace and, where LASTREF_VERBOSE asks, on stderr.
//
// Called while hooks are installed and, seldom, from hooked calls. Takes the session's lock.
#ifndef LASTREF_SHIM_HOOK_NOTES_H
#define LASTREF_SHIM_HOOK_NOTES_H

#include <stdint.h>

#include "hook_table.h"
#include "trace_format.h"

namespace lastref::hooks {

// A kHook record; texts are cut to a few hundred bytes.
void note(trace::HookFact fact, const char* subject, int64_t value, const char* more);

// A function that a type needs is not hooked: the type is partial from now on.
void note_refused(HookedType& type, const char* function, const char* reason);

// A library of this type's rules is here.
void note_type(HookedType& type);
void note_library(const char* soname, uint32_t functions);

// Nothing is hooked any more: types that are in use have been seen in part. Said on stderr too.
void note_off(const char* reason);

// Notes everything that this process has hooked, for a forked child's trace.
void note_everything_again();

// On stderr; the first ones of a process.
void say_rule_error(const RuleError& error);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_NOTES_H
