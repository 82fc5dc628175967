#include "gate/budget.h"

#include <cctype>
#include <charconv>
#include <string_view>

namespace lastref {

std::optional<Budget> parse_budget(const std::string& text) {
    const size_t equals = text.rfind('=');  // types may hold '=' (operator==), numbers don't
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    Budget budget{text, text.substr(0, equals), 0, false};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, budget.limit);
    if (error != std::errc()) return std::nullopt;
    std::string unit(stop, end);
    if (unit.empty()) return budget;
    budget.is_bytes = true;
    for (char& letter : unit)
        letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    if (unit == "B") return budget;
    const size_t power = std::string_view("KMGT").find(unit.front());
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "B" && rest != "IB"))
        return std::nullopt;
    const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
    if (budget.limit > UINT64_MAX >> shift) return std::nullopt;
    budget.limit <<= shift;
    return budget;
}

}  // namespace lastref
