#include "analyze/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

namespace lastref {
namespace {

// FNV-1a, 64 bits, and a terminator so that "ab","c" differs from "a","bc".
void mix(uint64_t& hash, std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
    hash = (hash ^ 0xff) * 0x100000001b3u;
}

std::string_view name_of(const Frame& frame) {
    if (!frame.function.empty()) return frame.function;
    const std::string_view module = frame.module;
    return module.substr(module.rfind('/') + 1);
}

// Orders findings of one id by source position, from the innermost frame outwards.
bool earlier(const Stack& a, const Stack& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](const Frame& x, const Frame& y) {
                                            if (x.file != y.file) return x.file < y.file;
                                            if (x.line != y.line) return x.line < y.line;
                                            return x.offset < y.offset;
                                        });
}

}  // namespace

std::string fingerprint(Kind kind, std::string_view type, std::string_view cause,
                        std::span<const Stack* const> stacks) {
    uint64_t hash = 0xcbf29ce484222325u;
    mix(hash, kind_name(kind));
    mix(hash, type);
    mix(hash, cause);
    for (const Stack* const stack : stacks) {
        std::string_view last;
        for (const Frame& frame : *stack) {
            const std::string_view name = name_of(frame);
            if (name != last) mix(hash, name);
            last = name;
        }
        mix(hash, "");
    }
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(16, '0');
    for (size_t i = 0; i < 16; ++i) text[15 - i] = digits[hash >> (4 * i) & 15];
    return text;
}

void tell_apart(std::vector<Finding>& findings) {
    std::map<std::string, std::vector<Finding*>> by_id;
    // Processes of one program share ids: the same fault in each of them.
    for (Finding& finding : findings) {
        by_id[finding.id + ' ' + std::to_string(finding.process)].push_back(&finding);
    }
    for (auto& [id, same] : by_id) {
        if (same.size() < 2) continue;
        std::stable_sort(same.begin(), same.end(), [](const Finding* a, const Finding* b) {
            if (earlier(a->created, b->created)) return true;
            if (earlier(b->created, a->created)) return false;
            return a->culprit && b->culprit && earlier(a->culprit->stack, b->culprit->stack);
        });
        for (size_t i = 1; i < same.size(); ++i) same[i]->id += '-' + std::to_string(i + 1);
    }
}

}  // namespace lastref
