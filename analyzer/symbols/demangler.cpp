#include "symbols/demangler.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace lastref {
namespace {

// The demangler recurses once per nested name; no real symbol comes near this.
constexpr size_t kLongestName = 1 << 16;

// Compilers make several functions of one, and name them after it: 'parse.isra.0', 'serve.actor'. A
// reader and an id want the one that the source has. A name that holds other dots keeps them (Go).
bool is_clone(std::string_view suffix) {
    static constexpr std::array<std::string_view, 14> kClones = {
        "actor", "destroy", "resume",   "cleanup",    "isra", "constprop", "part",
        "cold",  "clone",   "lto_priv", "localalias", "llvm", "warm",      "unlikely",
    };
    return std::find(kClones.begin(), kClones.end(), suffix) != kClones.end() ||
           std::all_of(suffix.begin(), suffix.end(),
                       [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

void drop_clone_suffixes(std::string& name) {
    size_t end = name.size();
    bool is_named = false;  // a number alone is no clone's name
    for (size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
        const std::string_view suffix = std::string_view(name).substr(dot + 1, end - dot - 1);
        if (!is_clone(suffix)) break;
        is_named |= !suffix.empty() && std::isdigit(static_cast<unsigned char>(suffix[0])) == 0;
        end = dot;
    }
    if (is_named) name.resize(end);
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
