// Findings that are not to be reported, by patterns.
//
// One a line, 'KIND:PATTERN'; '#' begins a comment line:
//
//     leak:PATTERN       as LeakSanitizer reads it: a function, source file or module of any frame
//     of
//                        the place where a leaked object was made
//     kind:PATTERN       a finding's kind, as 'heap-leak'
//     type:PATTERN       a buffer's type
//     function:PATTERN   of any frame of the creation or of the culprit; so module: and file:
//
// A pattern is searched for anywhere in the text; '*' stands for any characters, '^' at its begin
// and
// '$' at its end for the text's ends. Source:
// https://clang.llvm.org/docs/LeakSanitizer.html and the sanitizers' common suppressions.
#ifndef LASTREF_ANALYZER_GATE_SUPPRESSIONS_H
#define LASTREF_ANALYZER_GATE_SUPPRESSIONS_H

#include <string>
#include <string_view>
#include <vector>

#include "analyze/findings.h"
#include "gate/line_error.h"

namespace lastref {

// True where `pattern` is found in `text`.
bool matches_pattern(std::string_view pattern, std::string_view text);

class Suppressions {
public:
    // Adds the lines of a file, or of a text that comes from `origin`. Returns what is wrong with
    // them: "FILE:LINE: reason".
    std::vector<std::string> add_file(const std::string& path);
    std::vector<std::string> add_text(const std::string& text, const std::string& origin);

    // True where any matches; each that does counts one use where `counts` is set.
    bool suppress(const Finding& finding, bool counts = true);

    const std::vector<SuppressionUse>& uses() const { return uses_; }

private:
    enum class Subject { kLeak, kKind, kType, kFunction, kModule, kFile };
    struct Rule {
        Subject subject;
        std::string pattern;
    };
    std::vector<std::string> add(const std::vector<Line>& lines, const std::string& origin);
    static bool matches(const Rule& rule, const Finding& finding);

    std::vector<Rule> rules_;
    std::vector<SuppressionUse> uses_;  // of the rule of the same index
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_SUPPRESSIONS_H
