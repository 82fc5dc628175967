// From a rule and an address to a hooked function: bindings, patches, and what is refused.
//
// For installation passes only, under the lock of hook_modules.cpp.
#ifndef LASTREF_SHIM_HOOK_INSTALL_H
#define LASTREF_SHIM_HOOK_INSTALL_H

#include <stddef.h>
#include <stdint.h>

#include "hook_code.h"
#include "hook_elf.h"
#include "hook_table.h"

namespace lastref::hooks {

// Where a library lies, and its file.
struct LoadedImage {
    const ElfImage& file;
    uintptr_t bias;
    uintptr_t low, high;  // mapped
};

// Zeroed memory for the life of the process, inherited by forked children; nullptr where there is
// no more.
void* take_memory(size_t size);
const char* copy_text(const char* text, size_t size);

// The patch at `entry`, made where there is none; nullptr where the table is full.
Patch* patch_at(uintptr_t entry);
Patch* find_patch(uintptr_t entry);

// Lets `rule` be evaluated at the patch. The same rule at the same place counts once. False where
// memory is short.
bool bind(Patch& patch, const Rule& rule, HookedType& type, const char* function);

// Writes the jump at patch.entry, or the pointer into the slot there. nullptr on success, else the
// reason. `live`: other threads may be running the function.
const char* install(Patch& patch, const LoadedImage& image, CodeWriter& writer, bool live);

// Its library is gone: nobody is in its code any more, and what stands there next is another's.
void uninstall(Patch& patch);

// Functions that must not be called from a frame of ours.
bool may_return_twice(const char* function);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_INSTALL_H
