// Modules as glibc finds them, without a lock: _dl_find_object (2.35 and later).
//
// Where the program itself has gaps between its segments, glibc returns the one segment that holds
// the pc (elf/dl-find_object.c, _dlfo_process_initial); the whole program is found by its headers.
// Libraries have no such gaps: the loader maps their whole span.
#include <dlfcn.h>
#include <sys/auxv.h>

#include "module_lookup.h"
#include "segment_span.h"

namespace lastref {
namespace {

// The loader corrects AT_PHDR where it was itself started as the program.
SegmentSpan span_of_program(uintptr_t bias) {
    SegmentSpan span;
    const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
    const unsigned long count = headers ? getauxval(AT_PHNUM) : 0;
    for (unsigned long i = 0; i < count; i++) span.add(headers[i], bias);
    return span;
}

}  // namespace

bool find_module(uintptr_t pc, Module& found) {
    dl_find_object object;
    if (_dl_find_object(reinterpret_cast<void*>(pc), &object) != 0) return false;
    found = {reinterpret_cast<uintptr_t>(object.dlfo_map_start),
             reinterpret_cast<uintptr_t>(object.dlfo_map_end), object.dlfo_eh_frame,
             object.dlfo_link_map};
    if (found.map && found.map == _r_debug.r_map) {
        const SegmentSpan span = span_of_program(found.map->l_addr);
        if (pc >= span.begin && pc < span.end) {
            found.begin = span.begin;
            found.end = span.end;
        }
    }
    return true;
}

void renew_modules() {}

}  // namespace lastref
