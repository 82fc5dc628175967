#include "report/github.h"

#include <fmt/format.h>

#include "report/same_findings.h"

namespace lastref {
namespace {

// Data and properties are escaped as the runner unescapes them:
// https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
std::string escaped(std::string_view text, bool is_property) {
    std::string result;
    for (const char letter : text) {
        if (letter == '%' || letter == '\r' || letter == '\n' ||
            (is_property && (letter == ':' || letter == ',')))
            result += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
        else
            result += letter;
    }
    return result;
}

std::string command(std::string_view level, const Finding& finding, const std::string& words,
                    std::string_view root) {
    std::string properties =
        "title=" + escaped("lastref: " + std::string(kind_name(finding.kind)), true);
    const Frame* place = place_of(finding, root);
    if (place && !place->file.empty()) {
        properties = fmt::format("file={},line={},{}", escaped(source_path(*place, root), true),
                                 place->line, properties);
    }
    return fmt::format("::{} {}::{}\n", level, properties, escaped(words, false));
}

}  // namespace

std::string render_github(const Report& report, size_t top) {
    std::string text;
    if (report.gate && report.gate->verdict == "inconclusive")
        for (const std::string& reason : report.gate->reasons)
            text += "::error title=lastref%3A inconclusive::" + escaped(reason, false) + '\n';
    size_t shown = 0;
    for (const SameFindings& same : same_findings(report)) {
        const Finding& finding = same.example();
        if (is_set_aside(finding.standing)) continue;
        if (shown++ == top) break;
        const bool fails = counts_as_failure(finding.standing);
        text += command(fails ? "error" : "warning", finding, describe_in_full(same, report.root),
                        report.root);
    }
    return text;
}

}  // namespace lastref
