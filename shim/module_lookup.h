// Which module (ELF object) owns a program counter. Two back ends, chosen by the build
// (-Dmodule_lookup): module_lookup_glibc.cpp asks glibc's _dl_find_object (2.35), and
// module_lookup_own.cpp keeps a table of its own for older ones.
//
// Neither takes a lock of the loader's on a look-up: a thread inside dlopen allocates, a handler
// may interrupt the unwinder, a fork may leave such a lock held for good.
#ifndef LASTREF_SHIM_MODULE_LOOKUP_H
#define LASTREF_SHIM_MODULE_LOOKUP_H

#include <link.h>
#include <stdint.h>

namespace lastref {

struct Module {
    uintptr_t begin, end;         // mapped bytes
    const void* eh_frame_header;  // PT_GNU_EH_FRAME; nullptr: none
    const link_map* map;          // the loader's
};

// False where `pc` is in no module. Any thread, any time, signal handlers too.
bool find_module(uintptr_t pc, Module& found);

// Modules may have gone. After dlclose, which takes the loader's lock as this may.
void renew_modules();

}  // namespace lastref

#endif  // LASTREF_SHIM_MODULE_LOOKUP_H
