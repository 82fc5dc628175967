#include "symbols/symbol_table.h"

#include <gelf.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace lastref {
namespace {

struct Symbol {
    uint64_t address = 0;
    uint64_t size = 0;
    const char* name = nullptr;
    int rank = 0;  // which of several names of one function to show: the highest
};

// The sections that hold code, as ELF addresses.
IntervalIndex<uint64_t> code_sections(Dwfl_Module* module) {
    IntervalIndex<uint64_t> ends;
    GElf_Addr bias = 0;
    Elf* elf = dwfl_module_getelf(module, &bias);
    if (elf) {
        for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
            GElf_Shdr header;
            if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR)) continue;
            uint64_t begin = header.sh_addr + bias;
            ends.add(begin, begin + header.sh_size, begin + header.sh_size);
        }
    }
    ends.seal();
    return ends;
}

int rank(const GElf_Sym& symbol) {
    int rank = 0;
    if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC) rank += 4;
    if (GELF_ST_BIND(symbol.st_info) == STB_GLOBAL) rank += 2;
    if (GELF_ST_BIND(symbol.st_info) == STB_WEAK) rank += 1;
    return rank;
}

std::optional<Symbol> read_symbol(Dwfl_Module* module, int index) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    GElf_Word section = 0;
    const char* name =
        dwfl_module_getsym_info(module, index, &symbol, &address, &section, nullptr, nullptr);
    if (!name || !*name || section == SHN_UNDEF) return std::nullopt;
    int type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) return std::nullopt;
    if (name[0] == '.' && name[1] == 'L') return std::nullopt;  // an assembler's local label
    return Symbol{address, symbol.st_size, name, rank(symbol)};
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) {
    IntervalIndex<uint64_t> code = code_sections(module);
    std::vector<Symbol> symbols;
    int count = dwfl_module_getsymtab(module);
    if (count > 0) symbols.reserve(static_cast<size_t>(count));
    for (int index = 1; index < count; ++index) {
        std::optional<Symbol> symbol = read_symbol(module, index);
        if (symbol && code.find(symbol->address)) symbols.push_back(*symbol);
    }
    // The index shows the last one added of equal ranges: the highest rank.
    std::stable_sort(symbols.begin(), symbols.end(), [](const Symbol& a, const Symbol& b) {
        return a.address != b.address ? a.address < b.address : a.rank > b.rank;
    });
    // Backwards: a symbol without a size lasts until the next one of any kind.
    uint64_t next = UINT64_MAX, current = UINT64_MAX;
    for (const Symbol& symbol : std::views::reverse(symbols)) {
        if (symbol.address != current) next = std::exchange(current, symbol.address);
        uint64_t section_end = *code.find(symbol.address);
        if (symbol.size > 0) {
            uint64_t size = std::min(symbol.size, section_end - symbol.address);
            sized_.add(symbol.address, symbol.address + size, symbol.name);
        } else {
            unsized_.add(symbol.address, std::min(next, section_end), symbol.name);
        }
    }
    sized_.seal();
    unsized_.seal();
}

const char* SymbolTable::find(uint64_t address) const {
    if (const char* const* name = sized_.find(address)) return *name;
    if (const char* const* name = unsized_.find(address)) return *name;
    return nullptr;
}

}  // namespace lastref
