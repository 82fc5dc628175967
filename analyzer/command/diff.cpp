#include "command/diff.h"

#include <fmt/format.h>

#include "analyze/build_report.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "report/diff_text.h"

namespace lastref {
namespace {

constexpr int kUsage = 2;
constexpr int kUnreadable = 3;

Result<Report> build(const std::string& trace) {
    ProgressLine line("diff");
    Options analysis;
    analysis.progress = [&](double share) { line.show(share); };
    return build_report({&trace, 1}, analysis);
}

}  // namespace

int diff_command(const DiffOptions& options) {
    const Result<Report> before = build(options.before);
    const Result<Report> after = before ? build(options.after) : before;
    if (!before || !after) {
        fmt::print(stderr, "lastref: {}\n", (before ? after : before).error().message());
        return kUnreadable;
    }
    const std::string failure =
        write_output(options.output, options.format == "json" ? render_diff_json(*before, *after)
                                                              : render_diff_text(*before, *after));
    if (failure.empty()) return 0;
    fmt::print(stderr, "lastref: {}\n", failure);
    return kUsage;
}

}  // namespace lastref
