#include "gate/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "report/same_findings.h"
#include "report/text_stack.h"
#include "report/units.h"

namespace lastref {
namespace {

constexpr const char* kHeading =
    "# lastref baseline 1\n"
    "# Known findings: id, count, and what they are. Made by leak-gate --update-baseline.\n";

// 16 hexadecimal digits, and '-2' and so on where one id has several findings (fingerprint.h).
bool is_id(std::string_view text) {
    constexpr size_t kDigits = 16;
    const size_t end = text.find_first_not_of("0123456789abcdef");
    if (end == std::string_view::npos) return text.size() == kDigits;
    if (end != kDigits || text[end] != '-' || text.size() == end + 1) return false;
    return text.find_first_not_of("0123456789", end + 1) == std::string_view::npos;
}

// The error in a line, "" if there is none.
std::string read_line(const std::string& line, Baseline& baseline) {
    if (line.starts_with("<<<<<<<") || line.starts_with("=======") || line.starts_with(">>>>>>>"))
        return "a merge conflict: keep the lines of both sides, the higher count of each";
    const size_t id_end = std::min(line.find(' '), line.size());
    const std::string id = line.substr(0, id_end);
    if (!is_id(id))
        return fmt::format("'{}' is no finding's id (16 hexadecimal digits)", printable(id));
    const size_t begin = std::min(line.find_first_not_of(' ', id_end), line.size());
    const size_t end = std::min(line.find(' ', begin), line.size());
    BaselineEntry entry;
    const auto [stop, error] = std::from_chars(line.data() + begin, line.data() + end, entry.count);
    if (begin == end || error != std::errc() || stop != line.data() + end)
        return fmt::format("'{}' is no count", printable(line.substr(begin, end - begin)));
    entry.line = line;
    if (!baseline.emplace(id, entry).second) return "the id stands in the file twice";
    return {};
}

// Without line numbers: those change where the finding does not.
std::string culprit_words(const Finding& finding, std::string_view root) {
    const Frame* frame = place_of(finding, root);
    if (!frame) return "(no stack)";
    const std::string file =
        frame->file.empty() ? std::string(base_name(frame->module)) : source_path(*frame, root);
    return fmt::format("{} ({})", printable(file), short_function(frame->function));
}

}  // namespace

Checked<Baseline> read_baseline(const std::string& path) {
    Checked<Baseline> result;
    std::string error;
    for (const Line& line : read_lines(path, error)) {
        const std::string reason = read_line(line.text, result.value);
        if (!reason.empty())
            result.errors.push_back(fmt::format("{}:{}: {}", path, line.number, reason));
    }
    if (!error.empty()) result.errors.push_back(error + " (--update-baseline makes one)");
    return result;
}

std::string baseline_text(const Report& report) {
    std::vector<std::string> lines;
    for (const SameFindings& same : same_findings(report)) {
        const Finding& finding = same.example();
        if (is_set_aside(finding.standing)) continue;
        lines.push_back(fmt::format("{} {} {} {} {}\n", same.id(), same.count,
                                    kind_name(finding.kind), printable(finding.type),
                                    culprit_words(finding, report.root)));
    }
    std::sort(lines.begin(), lines.end());
    std::string text = kHeading;
    for (const std::string& line : lines) text += line;
    return text;
}

}  // namespace lastref
