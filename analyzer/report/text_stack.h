// Stacks as lines of text: the frames that a reader looks for, in two columns.
#ifndef LASTREF_ANALYZER_REPORT_TEXT_STACK_H
#define LASTREF_ANALYZER_REPORT_TEXT_STACK_H

#include <string>
#include <string_view>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// 'Encoder::encode          frame_encoder.cpp:17', or with the module where no line is known.
std::string frame_line(const Frame& frame);

// At most `most` frames (or one more), the innermost first, then how many were cut. Frames of the
// language's own library, of the allocator and from before main are left out without a word where
// any others exist.
std::vector<std::string> stack_lines(const Stack& stack, size_t most);

// Without parameter list and return type, and without long template arguments.
std::string short_function(std::string_view function);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_TEXT_STACK_H
