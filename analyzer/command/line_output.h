// Buffered text on standard output, for commands that write very many lines.
//
// A reader that goes away (EPIPE) is no error: closed() turns true and writing stops. Any other
// failure, a full disk say, is told once on stderr and leaves failed() true.
#ifndef LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H
#define LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace lastref {

class LineOutput {
public:
    LineOutput();
    ~LineOutput() { flush(); }
    LineOutput(const LineOutput&) = delete;
    LineOutput& operator=(const LineOutput&) = delete;

    void text(std::string_view text) { buffer_.append(text); }
    void number(uint64_t value) { digits(fmt::format_int(value)); }
    void number(int64_t value) { digits(fmt::format_int(value)); }
    void number(uint32_t value) { number(uint64_t{value}); }
    void number(int32_t value) { number(int64_t{value}); }
    // "0x...", without quotes.
    void hexadecimal(uint64_t value);
    // As a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
    void json_string(std::string_view text);

    // Where the line that is being written stands, and what was written from there on: so that
    // a caller can keep a part that comes again. Valid until end_line().
    size_t position() const { return buffer_.size(); }
    std::string_view since(size_t position) const {
        return {buffer_.data() + position, buffer_.size() - position};
    }

    // To be called after each line.
    void end_line() {
        buffer_.push_back('\n');
        if (buffer_.size() >= kFlushAt) flush();
    }
    void flush();

    bool closed() const { return closed_; }
    bool failed() const { return failed_; }

private:
    static constexpr size_t kFlushAt = 64 * 1024;

    void digits(const fmt::format_int& number) {
        buffer_.append(number.data(), number.data() + number.size());
    }

    fmt::memory_buffer buffer_;
    bool closed_ = false;
    bool failed_ = false;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H
