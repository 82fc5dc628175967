#include "command/diff.h"

#include <fmt/format.h>

#include "analyze/build_report.h"
#include "command/exit_status.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "report/diff_text.h"

namespace lastref {
namespace {

Result<Report> build(const std::string& trace, const SymbolPlaces& symbols) {
    ProgressLine line("diff");
    Options analysis;
    analysis.symbols = symbols;
    analysis.progress = [&](double share) { line.show(share); };
    return build_report({&trace, 1}, analysis);
}

}  // namespace

int diff_command(const DiffOptions& options) {
    const Result<Report> before = build(options.before, options.symbols);
    const Result<Report> after = before ? build(options.after, options.symbols) : before;
    if (!before || !after) {
        return fail(kUnreadable, (before ? after : before).error().message());
    }
    const std::string failure =
        write_output(options.output, options.format == "json" ? render_diff_json(*before, *after)
                                                              : render_diff_text(*before, *after));
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
