#include "report/units.h"

#include <fmt/format.h>

namespace lastref {

std::string bytes_text(uint64_t bytes) {
    if (bytes < 1024) return counted(bytes, "byte");
    static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < std::size(kUnits)) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string counted(uint64_t count, std::string_view noun) {
    std::string_view plural = noun.ends_with('s') ? "es" : "s";
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : plural);
}

std::string_view base_name(std::string_view path) {
    size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string printable(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
        bool is_control = byte < 0x20 || byte == 0x7f;
        // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
        bool is_second_control = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
        result += is_control || is_second_control ? '?' : text[i];
        if (is_second_control) ++i;
    }
    return result;
}

}  // namespace lastref
