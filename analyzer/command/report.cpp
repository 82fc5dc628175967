#include "command/report.h"

#include <fmt/format.h>

#include "analyze/build_report.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "gate/suppressions.h"
#include "report/formats.h"

namespace lastref {
namespace {

constexpr int kUsage = 2;
constexpr int kUnreadable = 3;

Result<Report> build(const ReportOptions& options) {
    ProgressLine line("report");
    Options analysis;
    analysis.progress = [&](double share) { line.show(share); };
    return build_report(options.traces, analysis);
}

}  // namespace

int report_command(const ReportOptions& options) {
    Suppressions suppressions;
    if (!options.suppressions.empty()) {
        const std::vector<std::string> errors = suppressions.add_file(options.suppressions);
        for (const std::string& error : errors) fmt::print(stderr, "lastref: {}\n", error);
        if (!errors.empty()) return kUsage;
    }
    Result<Report> report = build(options);
    if (!report) {
        fmt::print(stderr, "lastref: {}\n", report.error().message());
        return kUnreadable;
    }
    std::erase_if(report->findings,
                  [&](const Finding& finding) { return suppressions.suppress(finding); });
    const Format* format = find_format(options.format);
    std::string failure =
        write_output(options.output, format->render(*report, options.top.value_or(format->top)));
    if (failure.empty()) return 0;
    fmt::print(stderr, "lastref: {}\n", failure);
    return kUsage;
}

}  // namespace lastref
