// Buffered text on standard output, for commands that write very many lines.
//
// A reader that goes away is no error: closed() turns true and writing stops. The same happens
// after any other failure, such as a full disk, which finish() reports.
#ifndef LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H
#define LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "command/output_file.h"

namespace lastref {

class LineOutput {
public:
    LineOutput() = default;
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
    bool closed() const { return closed_; }
    // To be called once, at the end. Why not all could be written; empty on success.
    std::string finish();

private:
    static constexpr size_t kFlushAt = 64 * 1024;

    void flush();
    void digits(const fmt::format_int& number) {
        buffer_.append(number.data(), number.data() + number.size());
    }

    OutputFile file_{""};
    fmt::memory_buffer buffer_;
    bool closed_ = false;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_LINE_OUTPUT_H
