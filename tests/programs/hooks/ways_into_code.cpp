#include "ways_into_code.h"

#include <cstdio>

using namespace lastref::hooks;

namespace {

bool leads_elsewhere(const Instruction& one) {
    return one.displacement_size != 0 &&
           (one.kind == Instruction::kJump || one.kind == Instruction::kBranch ||
            one.kind == Instruction::kCall || one.kind == Instruction::kOther);
}

}  // namespace

void find_ways_into(const ReplacedBytes& replaced, const Library& library,
                    const std::function<void(size_t, const std::string&)>& found) {
    library.elf.for_each_symbol([&](const Symbol& symbol) {
        const auto function = replaced.find(library.bias() + symbol.address);
        if (function != replaced.end() &&
            (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC)) {
            found(function->second, std::string("there begins ") + symbol.name);
        }
        return true;
    });
    for (const Library::Range& code : library.code) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(code.begin);
        for (uint64_t at = 0; at < code.size;) {
            Instruction one;
            if (!decode(bytes + at, code.size - at, one)) {
                at++;
                continue;
            }
            at += one.length;
            if (!leads_elsewhere(one)) continue;
            const auto function =
                replaced.find(code.begin + at + static_cast<uint64_t>(one.distance));
            if (function == replaced.end()) continue;
            char text[80];
            std::snprintf(text, sizeof(text), "jumped into from 0x%lx",
                          code.begin + at - one.length - library.bias());
            found(function->second, text);
        }
    }
}
