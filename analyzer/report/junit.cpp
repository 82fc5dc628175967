#include "report/junit.h"

#include <fmt/format.h>

#include <cstdio>

#include "report/same_findings.h"
#include "report/text_finding.h"

namespace lastref {
namespace {

// Text or an attribute's value. XML 1.0 has no place for control characters at all, and bytes that
// are not UTF-8 would spoil the file: both become '?'.
std::string escaped(std::string_view text, bool is_attribute = true) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '&')
            result += "&amp;";
        else if (byte == '<')
            result += "&lt;";
        else if (byte == '>')
            result += "&gt;";
        else if (byte == '"')
            result += "&quot;";
        else if (byte == '\n')
            result += is_attribute ? "&#10;" : "\n";
        else if (byte < 0x20 || byte >= 0x7f)
            result += '?';
        else
            result += text[i];
    }
    return result;
}

struct Cases {
    std::string xml;
    size_t tests = 0, failures = 0, errors = 0, skipped = 0;

    void add(std::string_view group, const std::string& name, const std::string& content) {
        ++tests;
        xml += fmt::format("    <testcase classname=\"lastref.{}\" name=\"{}\" time=\"0\"",
                           escaped(group), escaped(name));
        xml += content.empty() ? "/>\n" : ">\n" + content + "    </testcase>\n";
    }
};

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

void add_gate(Cases& cases, const GateSummary& gate) {
    std::string content;
    if (gate.verdict == "inconclusive") {
        ++cases.errors;
        content = fmt::format("      <error type=\"inconclusive\" message=\"{}\">{}</error>\n",
                              escaped(gate.reasons.empty() ? "" : gate.reasons.front()),
                              escaped(joined(gate.reasons), false));
    }
    cases.add("gate", "the planted control is found and every process is traced", content);
    for (const std::string& reason : gate.reasons) {
        if (!reason.starts_with("budget ") && !reason.starts_with("stale ")) continue;
        ++cases.failures;
        cases.add("gate", reason,
                  fmt::format("      <failure type=\"gate\" message=\"{}\"/>\n", escaped(reason)));
    }
}

void add_finding(Cases& cases, const SameFindings& same, const Report& report) {
    const Finding& finding = same.example();
    std::string content;
    if (is_set_aside(finding.standing)) {
        ++cases.skipped;
        content = "      <skipped/>\n";
    } else if (counts_as_failure(finding.standing)) {
        ++cases.failures;
        content = fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                              kind_name(finding.kind), escaped(describe(same)),
                              escaped(finding_text(finding, nullptr, true), false));
    }
    cases.add(kind_name(finding.kind),
              fmt::format("{} {} {} [{}]", kind_name(finding.kind), finding.type,
                          place_text(finding, report.root), same.id()),
              content);
}

}  // namespace

std::string render_junit(const Report& report, size_t top) {
    Cases cases;
    if (report.gate) add_gate(cases, *report.gate);
    size_t shown = 0;
    for (const SameFindings& same : same_findings(report)) {
        if (shown++ == top) break;
        add_finding(cases, same, report);
    }
    // A suite without any case is taken for one that did not run.
    if (cases.tests == 0) cases.add("report", "no findings", "");
    const std::string started =
        report.processes.empty() ? "" : report.processes.front().started.substr(0, 19);
    const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\"",
                                           cases.tests, cases.failures, cases.errors);
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites {0}>\n"
        "  <testsuite name=\"lastref\" {0} skipped=\"{1}\" time=\"0\"{2}>\n"
        "{3}"
        "  </testsuite>\n"
        "</testsuites>\n",
        counts, cases.skipped, started.empty() ? "" : fmt::format(" timestamp=\"{}\"", started),
        cases.xml);
}

}  // namespace lastref
