// How much of one type may leak: TYPE=COUNT, or TYPE=BYTES with a unit.
#ifndef LASTREF_ANALYZER_GATE_BUDGET_H
#define LASTREF_ANALYZER_GATE_BUDGET_H

#include <cstdint>
#include <optional>
#include <string>

namespace lastref {

struct Budget {
    std::string text;  // as given
    std::string type;  // a buffer's type, 'heap' or 'mapping'
    uint64_t limit = 0;
    bool is_bytes = false;
};

// 'ByteBuf=10' is a count; 'heap=64K', '=512B', '=1MiB' are bytes (K, M, G: powers of 1024).
// Nothing where it is neither.
std::optional<Budget> parse_budget(const std::string& text);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_BUDGET_H
