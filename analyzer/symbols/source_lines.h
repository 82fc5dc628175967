// Source positions and inlined calls of one ELF file, from its DWARF debug information.
#ifndef LASTREF_ANALYZER_SYMBOLS_SOURCE_LINES_H
#define LASTREF_ANALYZER_SYMBOLS_SOURCE_LINES_H

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "symbols/demangler.h"
#include "symbols/dwarf_unit.h"
#include "symbols/interval_index.h"

namespace lastref {

// A position in the source, and the function it stands in. Parts that are not known are empty.
struct SourceFrame {
    std::string function;
    std::string file;
    uint32_t line = 0;
};

class SourceLines {
public:
    // `bias` is what to add to a DWARF address to get an ELF address. `dwarf` must outlive this.
    SourceLines(Dwarf* dwarf, Dwarf_Addr bias);

    // The frames at an ELF address, the innermost inlined call first; the last one is the
    // function that has machine code of its own. Empty where nothing is known. A `linker_name`
    // (from a symbol table) improves on the debug information's name of that last one.
    std::vector<SourceFrame> frames(uint64_t address, const char* linker_name,
                                    Demangler& demangler);

private:
    struct Unit {
        Dwarf_Die root;       // has the line table
        Dwarf_Die functions;  // the split unit's root where there is one, else the same
        std::unique_ptr<DwarfUnit> index;  // made at first use
    };

    std::string outer_name(DwarfUnit& unit, Dwarf_Die function, const char* linker_name,
                           Demangler& demangler) const;

    Dwarf_Addr bias_;
    std::vector<Unit> units_;
    IntervalIndex<uint32_t> ranges_;  // DWARF address to index into units_
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_SOURCE_LINES_H
