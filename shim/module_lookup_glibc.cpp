// Modules as glibc finds them, without a lock: _dl_find_object (2.35 and later).
#include <dlfcn.h>

#include "module_lookup.h"

namespace lastref {

bool find_module(uintptr_t pc, Module& found) {
    dl_find_object object;
    if (_dl_find_object(reinterpret_cast<void*>(pc), &object) != 0) return false;
    found = {reinterpret_cast<uintptr_t>(object.dlfo_map_start),
             reinterpret_cast<uintptr_t>(object.dlfo_map_end), object.dlfo_eh_frame,
             object.dlfo_link_map};
    return true;
}

void renew_modules() {}

}  // namespace lastref
