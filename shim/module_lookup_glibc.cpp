// Modules as glibc finds them, without a lock: _dl_find_object (2.35 and later).
//
// Where the program itself has gaps between its segments, glibc returns the one segment that holds
// the pc (elf/dl-find_object.c, _dlfo_process_initial); the whole program is found by its headers.
// Libraries have no such gaps: the loader maps their whole span.
#include <dlfcn.h>
#include <sys/auxv.h>
#include <atomic>

#include "module_lookup.h"
#include "segment_span.h"

namespace lastref {
namespace {

// The program's span, once it was asked for; end 0: not yet. It never changes.
std::atomic<uintptr_t> program_begin, program_end;

// The loader corrects AT_PHDR where it was itself started as the program.
void find_program(uintptr_t bias) {
    SegmentSpan span;
    const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
    const unsigned long count = headers ? getauxval(AT_PHNUM) : 0;
    for (unsigned long i = 0; i < count; i++) span.add(headers[i], bias);
    program_begin.store(span.begin, std::memory_order_relaxed);
    program_end.store(span.end, std::memory_order_release);
}

}  // namespace

bool find_module(uintptr_t pc, Module& found) {
    dl_find_object object;
    if (_dl_find_object(reinterpret_cast<void*>(pc), &object) != 0) return false;
    found = {reinterpret_cast<uintptr_t>(object.dlfo_map_start),
             reinterpret_cast<uintptr_t>(object.dlfo_map_end), object.dlfo_eh_frame,
             object.dlfo_link_map};
    if (found.map && found.map == _r_debug.r_map) {
        if (program_end.load(std::memory_order_acquire) == 0) find_program(found.map->l_addr);
        const uintptr_t begin = program_begin.load(std::memory_order_relaxed);
        const uintptr_t end = program_end.load(std::memory_order_relaxed);
        if (pc >= begin && pc < end) {
            found.begin = begin;
            found.end = end;
        }
    }
    return true;
}

void renew_modules() {}

}  // namespace lastref
