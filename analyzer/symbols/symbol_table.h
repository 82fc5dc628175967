// Function names from an ELF file's symbol tables (.symtab, .dynsym, .gnu_debugdata), for code
// that has no debug information.
#ifndef LASTREF_ANALYZER_SYMBOLS_SYMBOL_TABLE_H
#define LASTREF_ANALYZER_SYMBOLS_SYMBOL_TABLE_H

#include <elfutils/libdwfl.h>

#include <cstdint>

#include "symbols/interval_index.h"

namespace lastref {

class SymbolTable {
public:
    // Reads the tables of `module`, which must outlive this object.
    explicit SymbolTable(Dwfl_Module* module);

    // The linker's name of the function at this ELF address: the innermost symbol whose size
    // covers it, else the symbol right before it in the same section if that one has no size
    // (hand-written assembly). Null where there is none.
    const char* find(uint64_t address) const;

private:
    IntervalIndex<const char*> sized_;
    IntervalIndex<const char*> unsized_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_SYMBOL_TABLE_H
