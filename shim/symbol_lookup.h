// Definitions of symbols in the modules of the loader's list, found without the loader.
//
// dlsym() is no use this early: where a look-up fails it formats an error with the program's own
// malloc, which may call us back; it takes the loader's lock and clears the program's dlerror().
// This reads the modules' symbol tables in place: it allocates nothing, takes no lock, and calls
// nothing but a resolver where the symbol is an IFUNC. For the constructor and calls before it,
// while the list does not change.
#ifndef LASTREF_SHIM_SYMBOL_LOOKUP_H
#define LASTREF_SHIM_SYMBOL_LOOKUP_H

#include <link.h>
#include <stdint.h>

#include "segment_span.h"

namespace lastref {

struct Definition {
    uintptr_t address = 0;  // 0: there is none
    const link_map* module = nullptr;
};

// The loader's list of modules, in the order in which it searches them, and our place in it;
// nullptr where the loader has not set it up.
const link_map* first_module();
const link_map* own_module();

// The C library's module; nullptr where no module has its name.
const link_map* libc_module();

// The first definition of `name` in [from, end) that the program's own reference would accept: of
// the version that the C library defines, or without versions. That includes versions that dlsym()
// passes over, as of libc_malloc_debug.so.
Definition find_definition(const char* name, const link_map* from, const link_map* end = nullptr);

// The address of `name` in the C library's own modules (threads and the loader's interface were
// modules of their own before glibc 2.34), in its default version; 0: they have none.
uintptr_t libc_symbol(const char* name);

// What a library's segments take up in memory; empty for nullptr, and where its file begins
// elsewhere than its load address.
SegmentSpan span_of(const link_map* library);

// Whether a module refers to `name`, which it does not define itself.
bool is_referred_to(const char* name);

// The address of `name` in the kernel's vDSO, whose ELF header lies at `header`; 0: it has none.
uintptr_t vdso_symbol(uintptr_t header, const char* name);

}  // namespace lastref

#endif  // LASTREF_SHIM_SYMBOL_LOOKUP_H
