// Moves a function's first instructions elsewhere, so that a jump can take their place.
//
// Pure: reads the given bytes, writes the given buffer. What can't be moved with certainty is
// refused, with the reason.
#ifndef LASTREF_SHIM_HOOK_RELOCATE_H
#define LASTREF_SHIM_HOOK_RELOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "hook_decoder.h"

namespace lastref::hooks {

inline constexpr unsigned kJumpSize = 5;  // e9 rel32
inline constexpr unsigned kMostRelocated = 96;

struct Relocated {
    uint8_t code[kMostRelocated];
    uint8_t size;     // of code
    uint8_t covered;  // bytes of the original that it stands for
};

// `code` is what lies (in the file) at `address`, `size` bytes of one function: its symbol's size,
// or up to the next symbol. `available`: how many bytes follow at `code` in all, and `before`, how
// many precede it; padding may be taken from them, and neighbours there may jump into the function.
// `target`: where the result will run. nullptr on success, else the reason.
const char* relocate_prologue(const uint8_t* code, size_t size, size_t available, size_t before,
                              uint64_t address, uint64_t target, Relocated& result);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_RELOCATE_H
