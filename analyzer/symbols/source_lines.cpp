#include "symbols/source_lines.h"

#include <dwarf.h>

#include <unordered_set>

namespace lastref {
namespace {

// Compilers write paths as they were given, relative to the directory in which they ran.
std::string full_path(Dwarf_Die* unit, const char* path) {
    if (path[0] == '/') return path;
    Dwarf_Attribute attribute;
    const char* directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    if (!directory || directory[0] != '/') return path;
    return std::string(directory) + '/' + path;
}

// Where the caller of an inlined call stands: the call's own file and line.
void read_call_site(Dwarf_Die* call, SourceFrame& caller) {
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    if (dwarf_formudata(dwarf_attr(call, DW_AT_call_line, &attribute), &line) == 0)
        caller.line = static_cast<uint32_t>(line);
    if (dwarf_formudata(dwarf_attr(call, DW_AT_call_file, &attribute), &file) != 0) return;
    Dwarf_Die unit;
    Dwarf_Files* files = nullptr;
    size_t count = 0;
    if (!dwarf_diecu(call, &unit, nullptr, nullptr)) return;
    if (dwarf_getsrcfiles(&unit, &files, &count) != 0 || file >= count) return;
    const char* path = dwarf_filesrc(files, file, nullptr, nullptr);
    if (path) caller.file = full_path(&unit, path);
}

void read_line(Dwarf_Die* unit, Dwarf_Addr address, SourceFrame& frame) {
    Dwarf_Line* line = dwarf_getsrc_die(unit, address);
    if (!line) return;
    int number = 0;
    if (dwarf_lineno(line, &number) == 0 && number > 0) frame.line = static_cast<uint32_t>(number);
    if (const char* path = dwarf_linesrc(line, nullptr, nullptr))
        frame.file = full_path(unit, path);
}

}  // namespace

SourceLines::SourceLines(Dwarf* dwarf, Dwarf_Addr bias) : bias_(bias) {
    // The units' own ranges, not .debug_aranges: clang writes none.
    Dwarf_CU* unit = nullptr;
    Dwarf_Die root, split;
    uint8_t type = 0;
    // If several units define an inline function the linker keeps the first; the others'
    // entries end up at its address, though their code may have been different.
    std::unordered_set<Dwarf_Addr> claimed;
    while (dwarf_get_units(dwarf, unit, &unit, nullptr, &type, &root, &split) == 0) {
        if (type != DW_UT_compile && type != DW_UT_skeleton) continue;
        auto index = static_cast<uint32_t>(units_.size());
        Dwarf_Addr base = 0, begin = 0, end = 0;
        for (ptrdiff_t next = 0; (next = dwarf_ranges(&root, next, &base, &begin, &end)) > 0;)
            if (claimed.insert(begin).second) ranges_.add(begin, end, index);
        units_.push_back({root, split.addr ? split : root, nullptr});
    }
    ranges_.seal();
}

std::vector<SourceFrame> SourceLines::frames(uint64_t address, const char* linker_name,
                                             Demangler& demangler) {
    Dwarf_Addr dwarf_address = address - bias_;
    const uint32_t* index = ranges_.find(dwarf_address);
    if (!index) return {};
    Unit& unit = units_[*index];
    if (!unit.index) unit.index = std::make_unique<DwarfUnit>(unit.functions);

    std::vector<Dwarf_Die> functions = unit.index->functions_at(dwarf_address);
    if (functions.empty()) {  // assembly: lines without functions
        SourceFrame frame;
        read_line(&unit.root, dwarf_address, frame);
        if (frame.file.empty()) return {};
        if (linker_name) frame.function = demangler.demangle(linker_name);
        return {frame};
    }
    std::vector<SourceFrame> frames(functions.size());
    read_line(&unit.root, dwarf_address, frames.front());
    for (size_t i = 0; i < frames.size(); ++i) {
        Dwarf_Die& function = functions[functions.size() - 1 - i];
        bool is_outermost = i + 1 == frames.size();
        frames[i].function = is_outermost
                                 ? outer_name(*unit.index, function, linker_name, demangler)
                                 : unit.index->name(function, demangler);
        if (!is_outermost) read_call_site(&function, frames[i + 1]);
    }
    return frames;
}

// A C++ function that other files can't call may have only its bare name here, while the symbol
// table has all of it. A C function's name here is the better one (there: 'name.constprop.0').
std::string SourceLines::outer_name(DwarfUnit& unit, Dwarf_Die function, const char* linker_name,
                                    Demangler& demangler) const {
    if (linker_name && Demangler::is_mangled(linker_name) && !DwarfUnit::mangled_name(function))
        return demangler.demangle(linker_name);
    std::string name = unit.name(function, demangler);
    if (name.empty() && linker_name) return demangler.demangle(linker_name);
    return name;
}

}  // namespace lastref
