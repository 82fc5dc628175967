// One compilation unit's functions: which of them holds an address, and what they are called.
//
// Built when the unit is first asked for, by one walk over its entries, so that a look-up never
// scans them again.
#ifndef LASTREF_ANALYZER_SYMBOLS_DWARF_UNIT_H
#define LASTREF_ANALYZER_SYMBOLS_DWARF_UNIT_H

#include <elfutils/libdw.h>

#include <cstdint>
#include <string>
#include <vector>

#include "symbols/demangler.h"
#include "symbols/interval_index.h"

namespace lastref {

class DwarfUnit {
public:
    // `unit` is the unit's root entry: of the split unit where there is one.
    explicit DwarfUnit(Dwarf_Die unit);

    // The function at a DWARF address and the calls inlined there, the outermost first. Empty
    // where the unit has no function there.
    std::vector<Dwarf_Die> functions_at(Dwarf_Addr address);

    // The source name of a function or inlined call; empty where it has none.
    std::string name(Dwarf_Die function, Demangler& demangler) const;

    // Its name for the linker, where that says more than the source name: C++'s does. Null
    // elsewhere: a C function has one only if it was renamed (glibc: '__GI___strdup').
    static const char* mangled_name(Dwarf_Die function);

private:
    // A namespace, type or function that encloses others.
    struct Scope {
        const char* name;
        uint32_t parent;
    };
    struct FunctionScope {
        Dwarf_Off function;
        uint32_t scope;
    };

    void index(Dwarf_Die die, uint32_t scope, int depth);
    uint32_t enter(Dwarf_Die* die, uint32_t scope);
    // Where a function is declared; null where that is in another unit.
    const FunctionScope* declared_in(Dwarf_Die declaration) const;
    std::string qualified(Dwarf_Die declaration, const char* name) const;

    Dwarf_Die unit_;
    IntervalIndex<Dwarf_Off> functions_;
    std::vector<Scope> scopes_;
    std::vector<FunctionScope> function_scopes_;  // ascending by function
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_DWARF_UNIT_H
