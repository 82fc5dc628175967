#include "symbols/demangler.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace lastref {
namespace {

// The demangler recurses once per nested name; no real symbol comes near this.
constexpr size_t kLongestName = 1 << 16;

// Compilers make several functions of one, and name them after it: 'parse.isra.0',
// '_Z5servei.actor'. A reader and an id want the one that the source has. In a mangled name nothing
// else has a dot; of a plain one only what is surely a compiler's is dropped, since Go's names have
// dots of their own.
void drop_clone_suffixes(std::string& name) {
    if (Demangler::is_mangled(name.c_str())) {
        name.resize(std::min(name.find('.'), name.size()));
        return;
    }
    static constexpr std::array<std::string_view, 6> kNumbered = {"isra",  "constprop", "part",
                                                                  "clone", "lto_priv",  "llvm"};
    static constexpr std::array<std::string_view, 2> kPlain = {"cold", "localalias"};
    const auto is_one_of = [](std::string_view word, const auto& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    const auto is_number = [](std::string_view word) {
        return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
    };
    bool numbered = false;
    size_t end = name.size(), kept = end;
    for (size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
        const std::string_view word = std::string_view(name).substr(dot + 1, end - dot - 1);
        end = dot;
        if (is_number(word) && !numbered) {
            numbered = true;
        } else if (is_one_of(word, kNumbered) ? numbered : !numbered && is_one_of(word, kPlain)) {
            numbered = false;
            kept = dot;
        } else {
            break;
        }
    }
    name.resize(kept);
}

std::string demangled(const char* linker_name) {
    std::string plain(linker_name, strnlen(linker_name, kLongestName));
    // A version belongs to the symbol, not to the function: memcpy@@GLIBC_2.14.
    if (size_t version = plain.find('@'); version != std::string::npos && version > 0)
        plain.resize(version);
    drop_clone_suffixes(plain);
    if (!Demangler::is_mangled(plain.c_str())) return plain;
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status), &std::free);
    return status == 0 && text ? std::string(text.get()) : plain;
}

}  // namespace

const std::string& Demangler::demangle(const char* linker_name) {
    auto [entry, is_new] = names_.try_emplace(linker_name);
    if (is_new) entry->second = demangled(linker_name);
    return entry->second;
}

}  // namespace lastref
