// The modules (ELF objects) whose code was seen, written to the trace when first met.
//
// No dlopen is intercepted: the real one finds its caller by its return address ($ORIGIN, RUNPATH)
// and a frame in between would change that. A module is met when a stack first passes through it,
// also inside its own constructors, or at start. What dlclose unloads is found out after it by
// asking for each known module again.
//
// The epoch counts modules gone. Stacks and frame rules carry it, so that a module loaded later at
// the same addresses keeps its own names and rules.
#ifndef LASTREF_SHIM_MODULE_TABLE_H
#define LASTREF_SHIM_MODULE_TABLE_H

#include <stdint.h>
#include <atomic>

#include "module_lookup.h"

namespace lastref {

struct KnownModule {
    std::atomic<uintptr_t> begin;  // 0: free slot; 1: being given to another module
    const void* link_map;
    uint64_t identity;  // of what lies there: another library may come to the same place
    uint32_t index;     // as in the trace
    uint32_t gone;
};

struct ModuleTable {
    static constexpr unsigned kSlots = 4096;
    KnownModule* slots;  // kSlots, hashed by begin
    uint32_t used;       // slots that hold a module, loaded or gone
    uint32_t count;      // modules written to the trace
};

// Not part of the session: a forked child goes on with its parent's rules, so with its epoch.
struct LoaderState {
    std::atomic<uint32_t> epoch;
    std::atomic<uint32_t> closing;  // threads inside dlclose
};
extern LoaderState loader_state;

// 16 bits are used; what is cached under an epoch 65,536 unloads old would be taken for new.
inline uint32_t module_epoch() {
    return loader_state.epoch.load(std::memory_order_acquire) & 0xffff;
}
inline bool modules_closing() {
    return loader_state.closing.load(std::memory_order_acquire) != 0;
}

// Records the module if it is new. Any thread, signal handlers too.
void note_module(const Module& module);

// Around the real dlclose.
void before_dlclose();
void after_dlclose();

// Records all modules that are loaded now. For the constructor: takes the loader's lock.
void note_loaded_modules();

}  // namespace lastref

#endif  // LASTREF_SHIM_MODULE_TABLE_H
