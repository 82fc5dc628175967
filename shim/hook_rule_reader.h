// Reads a line of a rule file, left to right, and remembers the first thing that is wrong.
//
// For the parser of hook_rules.cpp and hook_expressions.cpp.
#ifndef LASTREF_SHIM_HOOK_RULE_READER_H
#define LASTREF_SHIM_HOOK_RULE_READER_H

#include <stdint.h>
#include <string.h>

#include "hook_rules.h"

namespace lastref::hooks {

inline bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline int digit_of(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

// After an error all else is ignored.
class Reader {
public:
    Reader(const char* line, const char* end) : line_(line), at_(line), end_(end) {}

    bool failed() const { return expected_ != nullptr; }
    const char* expected() const { return expected_; }
    uint32_t column() const { return column_of(failed_at_); }
    uint32_t column_of(const char* at) const { return static_cast<uint32_t>(at - line_) + 1; }
    Word found() const {
        const char* end = failed_at_;
        while (end < end_ && !is_blank(*end)) end++;
        return {failed_at_, static_cast<uint32_t>(end - failed_at_)};
    }

    void fail(const char* expected) { fail_at(at_, expected); }
    void fail_at(const char* where, const char* expected) {
        if (failed()) return;
        expected_ = expected;
        failed_at_ = where;
    }

    void skip_blanks() {
        while (at_ < end_ && is_blank(*at_)) at_++;
    }
    bool at_end() {
        skip_blanks();
        return failed() || at_ == end_ || *at_ == '#';
    }
    char peek() const { return at_ < end_ ? *at_ : 0; }
    const char* position() const { return at_; }

    bool take(const char* text) {
        const size_t size = strlen(text);
        if (static_cast<size_t>(end_ - at_) < size || memcmp(at_, text, size) != 0) return false;
        at_ += size;
        return true;
    }
    // A whole word.
    bool take_word(const char* text) {
        skip_blanks();
        const char* const before = at_;
        if (take(text) && (at_ == end_ || is_blank(*at_) || *at_ == '#')) return true;
        at_ = before;
        return false;
    }
    // Up to the next blank, or a word in quotes.
    Word word(bool* quoted = nullptr) {
        skip_blanks();
        if (quoted) *quoted = peek() == '"';
        if (peek() == '"') {
            const char* const begin = ++at_;
            while (at_ < end_ && *at_ != '"') at_++;
            const Word word = {begin, static_cast<uint32_t>(at_ - begin)};
            if (at_ == end_)
                fail("a closing quote");
            else
                at_++;
            return word;
        }
        const char* const begin = at_;
        while (at_ < end_ && !is_blank(*at_) && *at_ != '#') at_++;
        return {begin, static_cast<uint32_t>(at_ - begin)};
    }
    // Decimal or 0x; false where there is none.
    bool number(int64_t& value) {
        const char* const before = at_;
        const bool negative = take("-");
        unsigned base = 10;
        if (take("0x")) base = 16;
        const char* const digits = at_;
        uint64_t magnitude = 0;
        while (at_ < end_ && digit_of(*at_) < static_cast<int>(base)) {
            if (magnitude >> 59 != 0) break;  // too long: what is left is no end of a word
            magnitude = magnitude * base + static_cast<uint64_t>(digit_of(*at_++));
        }
        if (at_ == digits) {
            at_ = before;
            return false;
        }
        value = negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
        return true;
    }

private:
    const char* const line_;
    const char* at_;
    const char* const end_;
    const char* expected_ = nullptr;
    const char* failed_at_ = nullptr;
};

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOK_RULE_READER_H
