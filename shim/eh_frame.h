// Reads one module's `.eh_frame` in memory: finds the entry for a pc and runs its instructions.
// Used by frame_rules alone. Every pointer is checked against the module's mapped range, so a
// malformed table ends the search.
#ifndef LASTREF_SHIM_EH_FRAME_H
#define LASTREF_SHIM_EH_FRAME_H

#include <stdint.h>

#include "frame_rules.h"

namespace lastref {

struct ModuleRange {
    uintptr_t begin, end;  // mapped bytes
    bool holds(uintptr_t address, uintptr_t size) const {
        return address >= begin && address < end && size <= end - address;
    }
};

// `header` is the module's PT_GNU_EH_FRAME segment.
FrameRule rule_from_eh_frame(const ModuleRange& module, const void* header, uintptr_t pc);

}  // namespace lastref

#endif  // LASTREF_SHIM_EH_FRAME_H
