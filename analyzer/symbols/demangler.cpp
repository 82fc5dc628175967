#include "symbols/demangler.h"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace lastref {
namespace {

// The demangler recurses once per nested name; no real symbol comes near this.
constexpr size_t kLongestName = 1 << 16;

std::string demangled(const char* linker_name) {
    std::string plain(linker_name, strnlen(linker_name, kLongestName));
    // A version belongs to the symbol, not to the function: memcpy@@GLIBC_2.14.
    if (size_t version = plain.find('@'); version != std::string::npos && version > 0)
        plain.resize(version);
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
