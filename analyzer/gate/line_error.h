// Text files that users write for the gate: read line by line, every error with its place.
#ifndef LASTREF_ANALYZER_GATE_LINE_ERROR_H
#define LASTREF_ANALYZER_GATE_LINE_ERROR_H

#include <string>
#include <utility>
#include <vector>

namespace lastref {

// A value, or what is wrong with the file: "FILE:LINE: reason", all of them.
template <typename T>
struct Checked {
    T value{};
    std::vector<std::string> errors;
};

struct Line {
    size_t number = 0;  // from 1
    std::string text;   // without blanks at its ends
};

// The lines that say something: not empty, not a comment ('#'). On failure `error` is
// "FILE: can't be read: reason".
std::vector<Line> read_lines(const std::string& path, std::string& error);
std::vector<Line> split_lines(const std::string& text);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_LINE_ERROR_H
