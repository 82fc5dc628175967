#include "symbols/dwarf_unit.h"

#include <dwarf.h>

#include <algorithm>
#include <optional>

namespace lastref {
namespace {

constexpr int kDeepestNesting = 512;  // damaged entries must not exhaust our own stack
constexpr int kLongestReference = 16;
constexpr uint32_t kNoScope = 0;

template <typename Function>
void for_each_child(Dwarf_Die* die, Function function) {
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0) return;
    do {
        function(child);
    } while (dwarf_siblingof(&child, &child) == 0);
}

// The entry that `attribute` of this one refers to.
std::optional<Dwarf_Die> referred(Dwarf_Die* die, unsigned attribute_name) {
    Dwarf_Attribute attribute;
    Dwarf_Die target;
    if (!dwarf_attr(die, attribute_name, &attribute)) return std::nullopt;
    if (!dwarf_formref_die(&attribute, &target)) return std::nullopt;
    return target;
}

// From an inlined call or a copy of a function to the entry that declares it.
Dwarf_Die declaration_of(Dwarf_Die die) {
    for (int step = 0; step < kLongestReference; ++step) {
        auto next = referred(&die, DW_AT_abstract_origin);
        if (!next) next = referred(&die, DW_AT_specification);
        if (!next) break;
        die = *next;
    }
    return die;
}

const char* string_attribute(Dwarf_Die* die, unsigned name) {
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

// The call that was inlined at `address` directly within `die`, looking through plain blocks.
std::optional<Dwarf_Die> inlined_call(Dwarf_Die* die, Dwarf_Addr address, int depth) {
    Dwarf_Die child;
    if (depth > kDeepestNesting || dwarf_child(die, &child) != 0) return std::nullopt;
    do {
        int tag = dwarf_tag(&child);
        bool is_call = tag == DW_TAG_inlined_subroutine;
        bool is_block = tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
                        tag == DW_TAG_catch_block || tag == DW_TAG_with_stmt;
        if (!(is_call || is_block) || dwarf_haspc(&child, address) != 1) continue;
        if (is_call) return child;
        if (auto call = inlined_call(&child, address, depth + 1)) return call;
    } while (dwarf_siblingof(&child, &child) == 0);
    return std::nullopt;
}

}  // namespace

DwarfUnit::DwarfUnit(Dwarf_Die unit) : unit_(unit) {
    scopes_.push_back({nullptr, kNoScope});
    for_each_child(&unit_, [&](Dwarf_Die& child) { index(child, kNoScope, 0); });
    functions_.seal();
}

void DwarfUnit::index(Dwarf_Die die, uint32_t scope, int depth) {
    if (depth > kDeepestNesting) return;
    switch (dwarf_tag(&die)) {
        case DW_TAG_subprogram: {
            Dwarf_Addr base = 0, begin = 0, end = 0;
            Dwarf_Off offset = dwarf_dieoffset(&die);
            for (ptrdiff_t next = 0; (next = dwarf_ranges(&die, next, &base, &begin, &end)) > 0;)
                functions_.add(begin, end, offset);
            function_scopes_.push_back({offset, scope});
            break;
        }
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
        case DW_TAG_lexical_block:  // may hold a local class
            break;
        default:
            return;
    }
    uint32_t inner = kNoScope;
    bool entered = false;
    for_each_child(&die, [&](Dwarf_Die& child) {
        if (!entered) inner = enter(&die, scope);
        entered = true;
        index(child, inner, depth + 1);
    });
}

uint32_t DwarfUnit::enter(Dwarf_Die* die, uint32_t scope) {
    int tag = dwarf_tag(die);
    if (tag == DW_TAG_lexical_block) return scope;
    // A member function's body stands outside of its class.
    if (tag == DW_TAG_subprogram)
        if (const FunctionScope* declared = declared_in(declaration_of(*die)))
            scope = declared->scope;
    const char* name = dwarf_diename(die);
    // A class without a name that has functions is nearly always a lambda expression.
    if (!name) name = tag == DW_TAG_namespace ? "(anonymous namespace)" : "{lambda}";
    scopes_.push_back({name, scope});
    return static_cast<uint32_t>(scopes_.size() - 1);
}

const DwarfUnit::FunctionScope* DwarfUnit::declared_in(Dwarf_Die declaration) const {
    if (declaration.cu != unit_.cu) return nullptr;
    Dwarf_Off offset = dwarf_dieoffset(&declaration);
    auto entry = std::lower_bound(
        function_scopes_.begin(), function_scopes_.end(), offset,
        [](const FunctionScope& scope, Dwarf_Off wanted) { return scope.function < wanted; });
    return entry != function_scopes_.end() && entry->function == offset ? &*entry : nullptr;
}

std::vector<Dwarf_Die> DwarfUnit::functions_at(Dwarf_Addr address) {
    std::vector<Dwarf_Die> functions;
    const Dwarf_Off* offset = functions_.find(address);
    Dwarf_Die function;
    if (!offset || !dwarf_offdie(dwarf_cu_getdwarf(unit_.cu), *offset, &function)) return functions;
    functions.push_back(function);
    while (auto call = inlined_call(&functions.back(), address, 0)) {
        functions.push_back(*call);
        if (functions.size() > kDeepestNesting) break;
    }
    return functions;
}

const char* DwarfUnit::mangled_name(Dwarf_Die function) {
    const char* name = string_attribute(&function, DW_AT_linkage_name);
    if (!name) name = string_attribute(&function, DW_AT_MIPS_linkage_name);
    return name && Demangler::is_mangled(name) ? name : nullptr;
}

std::string DwarfUnit::name(Dwarf_Die function, Demangler& demangler) const {
    if (const char* linker_name = mangled_name(function)) return demangler.demangle(linker_name);
    const char* name = string_attribute(&function, DW_AT_name);
    if (!name) return {};
    return qualified(declaration_of(function), name);
}

// Compilers leave the linker's name out where the linker never sees the function.
std::string DwarfUnit::qualified(Dwarf_Die declaration, const char* name) const {
    std::string text = name;
    const FunctionScope* declared = declared_in(declaration);
    if (!declared) return text;
    for (uint32_t scope = declared->scope; scope != kNoScope; scope = scopes_[scope].parent)
        text = std::string(scopes_[scope].name) + "::" + text;
    return text;
}

}  // namespace lastref
