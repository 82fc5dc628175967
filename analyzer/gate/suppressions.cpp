#include "gate/suppressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/units.h"

namespace lastref {
namespace {

// Matches from `text`'s first character on; true where the pattern is used up (at the text's end
// where `to_end`).
bool matches_here(std::string_view pattern, std::string_view text, bool to_end) {
    // Backtracks to the last star only: what stands before it has been found as early as possible.
    size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    for (;;) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p == pattern.size() && (!to_end || t == text.size())) {
            return true;
        } else if (p < pattern.size() && t < text.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos && resume < text.size()) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
}

template <typename Test>
bool any_frame(const Finding& finding, bool with_culprit, Test test) {
    if (std::any_of(finding.created.begin(), finding.created.end(), test)) return true;
    if (!with_culprit || !finding.culprit) return false;
    const Stack& stack = finding.culprit->stack;
    return test(finding.culprit->frame) || std::any_of(stack.begin(), stack.end(), test);
}

bool is_leak(Kind kind) {
    return kind == Kind::kRefcountLeak || kind == Kind::kHeapLeak || kind == Kind::kMappingLeak ||
           kind == Kind::kGrowth;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    const bool from_begin = pattern.starts_with('^');
    if (from_begin) pattern.remove_prefix(1);
    const bool to_end = pattern.ends_with('$');
    if (to_end) pattern.remove_suffix(1);
    if (from_begin) return matches_here(pattern, text, to_end);
    for (size_t begin = 0; begin <= text.size(); ++begin)
        if (matches_here(pattern, text.substr(begin), to_end)) return true;
    return false;
}

std::vector<std::string> Suppressions::add_file(const std::string& path) {
    std::string error;
    std::vector<std::string> errors = add(read_lines(path, error), path);
    if (!error.empty()) errors.push_back(error);
    return errors;
}

std::vector<std::string> Suppressions::add_text(const std::string& text,
                                                const std::string& origin) {
    return add(split_lines(text), origin);
}

std::vector<std::string> Suppressions::add(const std::vector<Line>& lines,
                                           const std::string& origin) {
    static constexpr std::array<std::pair<std::string_view, Subject>, 6> kSubjects = {
        {{"leak", Subject::kLeak},
         {"kind", Subject::kKind},
         {"type", Subject::kType},
         {"function", Subject::kFunction},
         {"module", Subject::kModule},
         {"file", Subject::kFile}}};
    std::vector<std::string> errors;
    for (const Line& line : lines) {
        const std::string where = fmt::format("{}:{}", origin, line.number);
        const size_t colon = line.text.find(':');
        const std::string_view name = std::string_view(line.text).substr(0, colon);
        const auto subject = std::find_if(kSubjects.begin(), kSubjects.end(),
                                          [&](const auto& one) { return one.first == name; });
        if (colon == std::string::npos || subject == kSubjects.end()) {
            errors.push_back(
                fmt::format("{}: '{}' is no suppression: leak:, kind:, type:, function:, module: "
                            "or file: and a "
                            "pattern is wanted",
                            where, printable(line.text)));
        } else if (colon + 1 == line.text.size()) {
            errors.push_back(fmt::format("{}: no pattern behind '{}:'", where, name));
        } else {
            rules_.push_back({subject->second, line.text.substr(colon + 1)});
            uses_.push_back({line.text, where, 0});
        }
    }
    return errors;
}

bool Suppressions::matches(const Rule& rule, const Finding& finding) {
    auto in = [&](const std::string& text) {
        return !text.empty() && matches_pattern(rule.pattern, text);
    };
    switch (rule.subject) {
        case Subject::kLeak:
            return is_leak(finding.kind) && any_frame(finding, false, [&](const Frame& frame) {
                       return in(frame.function) || in(frame.file) || in(frame.module);
                   });
        case Subject::kKind:
            return matches_pattern(rule.pattern, kind_name(finding.kind));
        case Subject::kType:
            return in(finding.type);
        case Subject::kFunction:
            return any_frame(finding, true, [&](const Frame& frame) { return in(frame.function); });
        case Subject::kModule:
            return any_frame(finding, true, [&](const Frame& frame) { return in(frame.module); });
        case Subject::kFile:
            return any_frame(finding, true, [&](const Frame& frame) { return in(frame.file); });
    }
    return false;
}

bool Suppressions::suppress(const Finding& finding, bool counts) {
    bool is_suppressed = false;
    for (size_t i = 0; i < rules_.size(); ++i) {
        if (!matches(rules_[i], finding)) continue;
        is_suppressed = true;
        if (counts) ++uses_[i].uses;
    }
    return is_suppressed;
}

}  // namespace lastref
