// One library that has rules: which of its functions they mean, and the hooking of those.
//
// Under the lock of hook_modules.cpp.
#ifndef LASTREF_SHIM_HOOK_PASS_H
#define LASTREF_SHIM_HOOK_PASS_H

#include <stdint.h>

#include "hook_install.h"

namespace lastref::hooks {

class HookPass {
public:
    HookPass(const LoadedImage& image, const char* soname);
    ~HookPass();
    HookPass(const HookPass&) = delete;
    HookPass& operator=(const HookPass&) = delete;

    // Returns how many functions are hooked now that were not before. What is refused is noted.
    uint32_t run(CodeWriter& writer);

private:
    bool is_about(const Rule& rule, const Symbol& symbol);
    bool demangled_matches(const Rule& rule, const Symbol& symbol);
    void resolve(Expression& expression) const;
    void bind_at(const Rule& rule, uint64_t address, const Symbol& symbol);
    void bind_without_symbol(Rule& rule, HookedType& type);

    const LoadedImage& image_;
    const char* const soname_;
    uint32_t meant_count_ = 0;
    uint16_t meant_[RuleSet::kRules];   // indexes of the rules for this library
    bool found_[RuleSet::kRules] = {};  // rules of which a function was found
    char* demangled_ = nullptr;
    const char* demangled_of_ = nullptr;
};

// Finds the C++ library that knows how names are demangled, and loads it where the program has
// none. For the start. False where there is none: rules about demangled names match nothing then.
bool load_demangler();

// A rule about function pointers becomes part of its type.
void add_pointer_rule(const Rule& rule, HookedType& type);

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_PASS_H
