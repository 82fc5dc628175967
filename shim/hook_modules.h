// Libraries come and go: the rules that are meant for them are bound to addresses and hooked.
#ifndef LASTREF_SHIM_HOOK_MODULES_H
#define LASTREF_SHIM_HOOK_MODULES_H

#include <stdint.h>

#include "hook_table.h"

namespace lastref::hooks {

// Hooks what is new in the loader's list, forgets what is gone. Under the loader's lock, or before
// there is a second thread.
void scan_modules();

// Hooks the loader, which reports changes of its list from then on. nullptr on success, else why
// libraries that are loaded later will not be hooked.
const char* hook_loader();

// Replaces the slots whose libraries have been relocated by now, as their pointers show.
void replace_slots();

// A function pointer met at run time: `rule` is bound to what it points to.
void hook_function_at(uintptr_t function, const Binding& rule);
// In a forked child, no other thread holds the installation lock.
void unlock_in_child();

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_MODULES_H
