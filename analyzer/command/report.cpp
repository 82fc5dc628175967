#include "command/report.h"

#include <fmt/format.h>

#include "analyze/build_report.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "report/json.h"
#include "report/text.h"

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
    if (!options.suppressions.empty()) {
        fmt::print(stderr, "lastref report: --suppressions is not part of this version yet\n");
        return kUsage;
    }
    Result<Report> report = build(options);
    if (!report) {
        fmt::print(stderr, "{}\n", report.error().message());
        return kUnreadable;
    }
    std::string text = options.format == "json"
                           ? render_json(*report, options.top.value_or(SIZE_MAX))
                           : render_text(*report, options.top.value_or(kTextTop));
    std::string failure = write_output(options.output, text);
    if (failure.empty()) return 0;
    fmt::print(stderr, "lastref report: {}\n", failure);
    return kUsage;
}

}  // namespace lastref
