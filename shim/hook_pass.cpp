#include "hook_pass.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "hook_notes.h"
#include "libc_functions.h"
#include "text.h"

namespace lastref::hooks {
namespace {

constexpr unsigned kMostName = 256;

using Demangle = char* (*)(const char*, char*, size_t*, int*);
Demangle demangle;

// How a rule's function is called in notes.
void name_of(const Rule& rule, Text& name) {
    if (rule.target == Target::kOffset) {
        name.add("+0x");
        for (int shift = 60; shift >= 0; shift -= 4) {
            if (rule.offset >> shift != 0 || shift == 0)
                name.add("0123456789abcdef"[rule.offset >> shift & 15]);
        }
    } else {
        name.add(rule.function.text, rule.function.size);
    }
}

}  // namespace

HookPass::HookPass(const LoadedImage& image, const char* soname) : image_(image), soname_(soname) {
    const RuleSet& rules = *table.rules;
    for (uint32_t i = 0; i < rules.rule_count; i++) {
        if (matches_any(rules.libraries[rules.rules[i].library].patterns, soname)) {
            meant_[meant_count_++] = static_cast<uint16_t>(i);
        }
    }
}

HookPass::~HookPass() {
    free(demangled_);
}

bool HookPass::demangled_matches(const Rule& rule, const Symbol& symbol) {
    if (symbol.name[0] != '_' || symbol.name[1] != 'Z') return matches(rule.function, symbol.name);
    if (demangled_of_ != symbol.name) {
        free(demangled_);
        int status = 0;
        demangled_ = demangle ? demangle(symbol.name, nullptr, nullptr, &status) : nullptr;
        demangled_of_ = symbol.name;
    }
    return matches(rule.function, demangled_ ? demangled_ : symbol.name);
}

bool HookPass::is_about(const Rule& rule, const Symbol& symbol) {
    switch (rule.target) {
        case Target::kSymbol:
            return symbol.type != STT_OBJECT &&
                   image_.file.is_called(symbol, rule.function.text, rule.function.size);
        case Target::kSlot:
            return image_.file.is_called(symbol, rule.function.text, rule.function.size);
        case Target::kDemangled:
            return symbol.type == STT_FUNC && demangled_matches(rule, symbol);
        default:
            return false;
    }
}

void HookPass::resolve(Expression& expression) const {
    if (expression.base != Base::kSymbol) return;
    expression.number = 0;
    image_.file.for_each_symbol([&](const Symbol& symbol) {
        if (!(expression.symbol == symbol.name)) return true;
        expression.number = static_cast<int64_t>(image_.bias + symbol.address);
        return false;
    });
}

void HookPass::bind_at(const Rule& rule, uint64_t address, const Symbol& symbol) {
    HookedType& type = table.types[rule.type];
    found_[&rule - table.rules->rules] = true;
    if (symbol.type == STT_GNU_IFUNC) {
        return note_refused(type, symbol.name, "it is chosen at run time (IFUNC)");
    }
    if ((rule.when != When::kIn || rule.nest) && may_return_twice(symbol.name)) {
        return note_refused(type, symbol.name, "its return can't be hooked safely");
    }
    Patch* patch = patch_at(image_.bias + address);
    if (!patch || !bind(*patch, rule, type, copy_text(symbol.name, strlen(symbol.name)))) {
        return note_refused(type, symbol.name, "too many functions are hooked");
    }
    patch->symbol_size = symbol.size;
    patch->is_slot = rule.target == Target::kSlot;
}

void HookPass::bind_without_symbol(Rule& rule, HookedType& type) {
    resolve(rule.identity);
    resolve(rule.pointer);
    for (unsigned i = 0; i < rule.conditions; i++) resolve(rule.condition[i].left);
    char name[kMostName];
    Text text(name, sizeof(name));
    name_of(rule, text);
    if (rule.target == Target::kPointer) {
        add_pointer_rule(rule, type);
    } else if (rule.target == Target::kOffset) {
        if (image_.file.has_build_id(rule.build_id.text, rule.build_id.size))
            bind_at(rule, rule.offset, {name, rule.offset, 0, STT_FUNC, 0});
        else if (!rule.optional)
            note_refused(type, name, "the file has another build-id");
    } else if (!found_[&rule - table.rules->rules] && !rule.optional) {
        note_refused(type, name, "there is no such function");
        char expected[kMostName];
        Text what(expected, sizeof(expected));
        what.add("a function of ").add(soname_);
        say_rule_error(
            {table.rules->files[rule.file], rule.line, rule.column, expected, rule.function});
    }
}

uint32_t HookPass::run(CodeWriter& writer) {
    RuleSet& rules = *table.rules;
    image_.file.for_each_symbol([&](const Symbol& symbol) {
        for (uint32_t i = 0; i < meant_count_; i++) {
            const Rule& rule = rules.rules[meant_[i]];
            if (!is_about(rule, symbol)) continue;
            bind_at(rule, symbol.address + (rule.target == Target::kSlot ? rule.offset : 0),
                    symbol);
        }
        return true;
    });
    for (uint32_t i = 0; i < meant_count_; i++) {
        Rule& rule = rules.rules[meant_[i]];
        note_type(table.types[rule.type]);
        bind_without_symbol(rule, table.types[rule.type]);
    }
    uint32_t hooked = 0;
    for (uint32_t i = 0; i < table.patch_count; i++) {
        Patch& patch = table.patches[i];
        if (patch.entry - image_.low >= image_.high - image_.low || patch.installed.load() ||
            (!patch.at_entry && !patch.at_return)) {
            continue;
        }
        if (patch.is_slot) {
            table.slots_pending.store(true);  // it may not be relocated yet
            continue;
        }
        const char* reason = install(patch, image_, writer, false);  // nobody runs it yet
        hooked += !reason;
        for (const Binding* list : {patch.at_entry, patch.at_return}) {
            for (; reason && list; list = list->next) {
                note_refused(*list->type, list->function, reason);
            }
        }
    }
    return hooked;
}

bool load_demangler() {
    if (!libc.dlopen || !libc.dlsym) return false;
    void* library = libc.dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = libc.dlopen("libc++abi.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library) demangle = reinterpret_cast<Demangle>(libc.dlsym(library, "__cxa_demangle"));
    return demangle != nullptr;
}

void add_pointer_rule(const Rule& rule, HookedType& type) {
    for (const Binding* known = type.pointers; known; known = known->next) {
        if (known->rule == &rule) return;
    }
    auto* binding = static_cast<Binding*>(take_memory(sizeof(Binding)));
    if (!binding) return;
    binding->set(rule, type);
    binding->next = type.pointers;
    binding->function = "";
    type.pointers = binding;
}

}  // namespace lastref::hooks
