#include "command/report.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/build_report.h"
#include "analyze/elf_frames.h"
#include "analyze/lives_at.h"
#include "command/exit_status.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "command/say.h"
#include "command/streamed_output.h"
#include "gate/suppressions.h"
#include "pack/open_trace.h"
#include "report/folded.h"
#include "report/formats.h"
#include "report/json.h"
#include "report/text_finding.h"

namespace lastref {
namespace {

Result<Report> build(const ReportOptions& options, TraceFollower* follower = nullptr) {
    ProgressLine line("report");
    Options analysis;
    analysis.symbols = options.symbols;
    analysis.usage = find_format(options.format)->usage;
    analysis.follower = follower;
    analysis.progress = [&](double share) { line.show(share); };
    return build_report(options.traces, analysis);
}

void suppress(Report& report, Suppressions& suppressions) {
    std::erase_if(report.findings,
                  [&](const Finding& finding) { return suppressions.suppress(finding); });
}

std::string render(const Report& report, const ReportOptions& options) {
    if (options.format == "folded") {
        return render_folded(report, options.weight == "peak"        ? Weight::kPeak
                                     : options.weight == "allocated" ? Weight::kAllocated
                                                                     : Weight::kLive);
    }
    const Format* const format = find_format(options.format);
    return format->render(report, options.top.value_or(format->top));
}

// Where nothing follows the traces that could say so, the report itself does.
void tell_warnings(const Report& report) {
    for (const Process& process : report.processes) {
        for (const std::string& warning : process.warnings)
            say("lastref: {}: {}\n", process.trace, warning);
    }
}

int stream_report(const ReportOptions& options, const Format& format, Suppressions& suppressions) {
    std::optional<Result<Report>> report;
    const std::string failure =
        write_streamed(format, options.output, [&](TraceFollower& follower) -> const Report* {
            report = build(options, &follower);
            if (!*report) return nullptr;
            suppress(**report, suppressions);
            return &**report;
        });
    if (report && !*report) return fail(kUnreadable, report->error().message());
    if (!failure.empty()) return fail(kUsage, failure);
    tell_warnings(**report);
    return 0;
}

int report_lives(const ReportOptions& options) {
    if (options.format != "text" && options.format != "json") {
        return fail(kUsage, fmt::format("--buffer writes text or json, not {}", options.format));
    }
    std::vector<LifeAt> all;
    for (const std::string& path : options.traces) {
        Result<std::unique_ptr<TraceFile>> trace = open_trace(path);
        if (!trace) return fail(kUnreadable, trace.error().message());
        ElfFrames frames(**trace, options.symbols);
        for (LifeAt& life : lives_at(*options.buffer, **trace, frames)) {
            life.trace = path;
            all.push_back(std::move(life));
        }
    }
    if (all.empty()) {
        return fail(kUsage,
                    fmt::format("no refcounted buffer was made at {:#x}; "
                                "'lastref events {} --buffer {:#x}' lists all that happened there",
                                *options.buffer, options.traces.front(), *options.buffer));
    }
    const std::string failure = write_output(
        options.output, options.format == "json" ? render_lives_json(all) : render_lives_text(all));
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace

int report_command(const ReportOptions& options) {
    Suppressions suppressions;
    if (!options.suppressions.empty()) {
        const std::vector<std::string> errors = suppressions.add_file(options.suppressions);
        for (const std::string& error : errors) say("lastref: {}\n", error);
        if (!errors.empty()) return kUsage;
    }
    if (options.buffer) return report_lives(options);
    const Format& format = *find_format(options.format);
    const std::string_view missing = format.missing();
    if (!missing.empty()) return fail(kUsage, missing);
    if (format.one_trace && options.traces.size() != 1) {
        return fail(kUsage, fmt::format("a {} file holds one process: give one trace at a time",
                                        format.name));
    }
    if (format.stream != nullptr) return stream_report(options, format, suppressions);
    Result<Report> report = build(options);
    if (!report) return fail(kUnreadable, report.error().message());
    suppress(*report, suppressions);
    const std::string failure = write_output(options.output, render(*report, options));
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
