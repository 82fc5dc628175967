#include "command/line_output.h"

#include <algorithm>
#include <iterator>

namespace lastref {
namespace {

// Length of the UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629).
size_t utf8_length(std::string_view text) {
    const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t first = byte(0);
    if (first < 0x80) return 1;
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool no_character =
        (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
    return overlong || no_character ? 0 : length;
}

}  // namespace

void LineOutput::hexadecimal(uint64_t value) {
    static constexpr char digits[] = "0123456789abcdef";
    char text[16];
    size_t at = sizeof(text);
    do {
        text[--at] = digits[value & 15];
        value >>= 4;
    } while (value != 0);
    buffer_.append(std::string_view("0x"));
    buffer_.append(std::string_view(text + at, sizeof(text) - at));
}

void LineOutput::json_string(std::string_view text) {
    const auto is_plain = [](char c) {
        return static_cast<uint8_t>(c) >= 0x20 && static_cast<uint8_t>(c) < 0x80 && c != '"' &&
               c != '\\';
    };
    buffer_.push_back('"');
    while (!text.empty()) {
        const auto plain = static_cast<size_t>(
            std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
        buffer_.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;
        const char c = text[0];
        size_t length = utf8_length(text);
        if (length == 0) {
            buffer_.append(std::string_view("\xef\xbf\xbd"));
            length = 1;
        } else if (c == '"' || c == '\\') {
            buffer_.push_back('\\');
            buffer_.push_back(c);
        } else if (static_cast<uint8_t>(c) < 0x20) {
            fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", static_cast<uint8_t>(c));
        } else {
            buffer_.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    buffer_.push_back('"');
}

void LineOutput::flush() {
    closed_ = !file_.write({buffer_.data(), buffer_.size()});
    buffer_.clear();
}

std::string LineOutput::finish() {
    flush();
    return file_.finish();
}

}  // namespace lastref
