#include "report/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/units.h"

namespace lastref {

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::kFaults:
            return "faults";
        case Verdict::kClean:
            return "clean";
        case Verdict::kInconclusive:
            return "inconclusive";
    }
    return "inconclusive";
}

bool is_fault(const Finding& finding) {
    if (finding.kind == Kind::kHeld) return false;
    bool is_plain_memory = finding.kind == Kind::kHeapLeak || finding.kind == Kind::kMappingLeak;
    return !(is_plain_memory && finding.count > 0 && finding.recent >= finding.count);
}

Verdict verdict_of(const Report& report) {
    if (std::any_of(report.findings.begin(), report.findings.end(), is_fault))
        return Verdict::kFaults;
    return inconclusive_reason(report).empty() ? Verdict::kClean : Verdict::kInconclusive;
}

std::string inconclusive_reason(const Report& report) {
    if (report.processes.empty()) return "no process was recorded";
    for (const Process& process : report.processes) {
        if (!process.complete) return "the record of " + process_label(process) + " is incomplete";
        if (process.cut_chunks != 0)
            return fmt::format(
                "the ring kept the newest {} of {}: what began before {:.6f} s is not reported",
                bytes_text(process.ring_size), process_label(process),
                static_cast<double>(process.cut_ns) / 1e9);
        if (process.sample_bytes != 0)
            return fmt::format(
                "{} was recorded as a sample (one heap block per {}, one buffer in {})",
                process_label(process), bytes_text(process.sample_bytes), process.sample_interval);
    }
    // A forked child that ended at once did nothing, which is no gap beside the others.
    if (std::all_of(report.processes.begin(), report.processes.end(),
                    [](const Process& process) { return process.events == 0; }))
        return "no events of " + process_label(report.processes.front()) + " were recorded";
    if (report.summary.coverage < 1.0)
        return fmt::format("only {:.1f} % of the objects were sampled",
                           report.summary.coverage * 100);
    return {};
}

std::string process_label(const Process& process) {
    std::string_view name = base_name(process.executable);
    return fmt::format("{} (pid {})", name.empty() ? "a program" : printable(name), process.pid);
}

}  // namespace lastref
