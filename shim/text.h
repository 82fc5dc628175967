// Bounded text in a caller's buffer: the shim uses it in place of std::string and printf, which may
// allocate. Everything that does not fit is cut, and `cut()` is true.
#ifndef LASTREF_SHIM_TEXT_H
#define LASTREF_SHIM_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace lastref {

class Text {
public:
    // `capacity` counts the terminating NUL, which is always there.
    Text(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) { buffer_[0] = 0; }

    Text& add(const char* text, size_t length) {
        for (size_t i = 0; i < length; i++) add(text[i]);
        return *this;
    }
    Text& add(const char* text) { return add(text, strlen(text)); }
    Text& add(char c) {
        if (size_ + 1 < capacity_) {
            buffer_[size_++] = c;
            buffer_[size_] = 0;
        } else {
            cut_ = true;
        }
        return *this;
    }
    Text& add_number(uint64_t value) {
        char digits[20];
        size_t count = 0;
        do {
            digits[count++] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        while (count != 0) add(digits[--count]);
        return *this;
    }

    size_t size() const { return size_; }
    const char* c_str() const { return buffer_; }
    bool cut() const { return cut_; }

private:
    char* buffer_;
    size_t capacity_;
    size_t size_ = 0;
    bool cut_ = false;
};

}  // namespace lastref

#endif  // LASTREF_SHIM_TEXT_H
