#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "report/gate_text.h"
#include "report/text_finding.h"
#include "report/units.h"
#include "report/verdict.h"

namespace lastref {
namespace {

constexpr size_t kProcessesShown = 10;

// Warnings of the same words are said once for all traces that they concern.
std::string warnings_text(const Report& report) {
    std::vector<std::string> order;
    std::map<std::string, std::vector<const Process*>> concerned;
    auto add = [&](const Process& process, std::string warning) {
        auto [entry, is_new] = concerned.try_emplace(warning);
        if (is_new) order.push_back(warning);
        entry->second.push_back(&process);
    };
    for (const Process& process : report.processes) {
        std::string_view word = process.complete ? "note" : "incomplete";
        for (const std::string& warning : process.warnings)
            add(process, fmt::format("{}: {{}}: {}", word, printable(warning)));
        if (process.cut_chunks != 0)
            add(process,
                fmt::format("ring: {{}}: what began before {:.6f} s is not reported ({} dropped)",
                            static_cast<double>(process.cut_ns) / 1e9,
                            counted(process.cut_chunks, "chunk")));
        if (!process.complete && process.warnings.empty())
            add(process, fmt::format("incomplete: {{}}: {} lost", counted(process.lost, "event")));
    }
    std::string text;
    for (const std::string& warning : order) {
        const std::vector<const Process*>& processes = concerned[warning];
        std::string who = printable(processes.front()->trace);
        if (processes.size() > 1)
            who += fmt::format(" and {}", counted(processes.size() - 1, "more trace"));
        size_t hole = warning.find("{}");
        text += warning.substr(0, hole) + who + warning.substr(hole + 2) + '\n';
    }
    return text;
}

bool is_brief(const Finding& finding) {
    return finding.kind == Kind::kHeapLeak || finding.kind == Kind::kMappingLeak;
}

// Findings in the order of their sections: faults of buffers and misuse, heap, mappings, held.
int section(const Finding& finding) {
    switch (finding.kind) {
        case Kind::kHeapLeak:
            return 1;
        case Kind::kMappingLeak:
            return 2;
        case Kind::kHeld:
            return 3;
        default:
            return 0;
    }
}

std::vector<const Finding*> shown_findings(const Report& report, size_t top, size_t& hidden) {
    std::vector<const Finding*> findings;
    for (const Finding& finding : report.findings)
        if (is_fault(finding) || finding.kind == Kind::kHeld) findings.push_back(&finding);
    hidden = findings.size() > top ? findings.size() - top : 0;
    findings.resize(findings.size() - hidden);
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding* a, const Finding* b) { return section(*a) < section(*b); });
    return findings;
}

// One line over the heap blocks or mappings, with those that are not shown one by one.
std::string section_heading(const Report& report, Kind kind) {
    uint64_t places = 0, count = 0, bytes = 0;
    for (const Finding& finding : report.findings) {
        if (finding.kind != kind || !is_fault(finding)) continue;
        ++places;
        count += finding.count;
        bytes += finding.bytes;
    }
    return fmt::format("{} never {}, {} in all, made in {}:\n",
                       counted(count, kind == Kind::kHeapLeak ? "heap block" : "mapping"),
                       kind == Kind::kHeapLeak ? "freed" : "removed", bytes_text(bytes),
                       counted(places, "place"));
}

std::string findings_text(const Report& report, size_t top) {
    size_t hidden = 0;
    std::string text;
    bool is_first = true;
    int last_section = 0;
    for (const Finding* finding : shown_findings(report, top, hidden)) {
        const Process* process = finding->process < report.processes.size()
                                     ? &report.processes[finding->process]
                                     : nullptr;
        bool has_ended = !process || process->exit.starts_with("status");
        if (report.processes.size() < 2) process = nullptr;
        if (!is_first) text += '\n';
        is_first = false;
        if (is_brief(*finding) && section(*finding) != last_section)
            text += section_heading(report, finding->kind) + '\n';
        last_section = section(*finding);
        if (finding->standing != Standing::kUnjudged)
            text += fmt::format("[{}] ", standing_name(finding->standing));
        text += is_brief(*finding) ? brief_finding_text(*finding, process)
                                   : finding_text(*finding, process, has_ended);
    }
    if (hidden > 0)
        text += fmt::format("\n({}; --top {} shows all)\n", counted(hidden, "more finding"),
                            top + hidden);
    return text;
}

std::string memory_line(const ByteTotals& totals, std::string_view begun, std::string_view ended) {
    return fmt::format("{} {}, {} {}, peak {}, live at the end {} in {}", totals.allocations, begun,
                       totals.frees, ended, bytes_text(totals.peak_bytes),
                       bytes_text(totals.live_bytes), totals.live);
}

std::string process_line(const Process& process) {
    std::string line =
        fmt::format("pid {}, {}, {}, {}", process.pid, printable(base_name(process.executable)),
                    process.exit, counted(process.events, "event"));
    if (process.lost > 0) line += fmt::format(", {} lost", process.lost);
    if (!process.complete) line += ", incomplete";
    return fmt::format("{}, {}: {}", line, process.level, printable(process.trace));
}

std::string totals_text(const Report& report) {
    const Summary& summary = report.summary;
    const bool sampled = std::any_of(report.processes.begin(), report.processes.end(),
                                     [](const Process& process) { return process.sample_bytes; });
    std::string text = sampled ? "totals of the sample\n" : "totals\n";
    auto line = [&](std::string_view label, const std::string& content) {
        text += fmt::format("  {:<9} {}\n", label, content);
    };
    line("buffers", fmt::format("{} created, {} ended, {} leaked", summary.buffers.created,
                                summary.buffers.ended, summary.buffers.leaked));
    for (const HookedType& type : summary.hooked) {
        std::string content =
            fmt::format("{}: {} seen", printable(type.type), counted(type.seen, "operation"));
        if (type.unseen > 0)
            content += fmt::format(", {} more by its counter, coverage {:.1f}%", type.unseen,
                                   type.coverage() * 100);
        if (!type.partial.empty()) content += ", in part: " + printable(type.partial);
        if (!type.counter_refused.empty())
            content += ", its counter is not believed: " + printable(type.counter_refused);
        line(&type == summary.hooked.data() ? "hooked" : "", content);
    }
    line("heap", memory_line(summary.heap, "allocated", "freed"));
    if (summary.buffer_blocks > 0)
        line("", fmt::format("{} of these lie under live buffers, reported with those",
                             counted(summary.buffer_blocks, "block")));
    line("mappings", memory_line(summary.mappings, "made", "removed"));
    if (summary.runtime_blocks > 0)
        line("runtime", fmt::format("{}, {}, kept by the C and C++ runtimes: no leak",
                                    counted(summary.runtime_blocks, "block"),
                                    bytes_text(summary.runtime_bytes)));
    if (summary.recent_blocks > 0)
        line("recent", fmt::format("{}, {}, made in the last moments of a killed process: "
                                   "in flight, no leak",
                                   counted(summary.recent_blocks, "block"),
                                   bytes_text(summary.recent_bytes)));
    size_t shown = std::min(report.processes.size(), kProcessesShown);
    for (size_t i = 0; i < shown; ++i)
        line(i == 0 ? "processes" : "", process_line(report.processes[i]));
    if (report.processes.size() > shown)
        line("", fmt::format("({})", counted(report.processes.size() - shown, "more process")));
    return text;
}

// The one line that stands where there is no fault to show.
std::string no_fault_line(const Report& report) {
    const Summary& summary = report.summary;
    std::string seen =
        fmt::format("{} created, {} ended; {} heap blocks allocated, {} freed",
                    counted(summary.buffers.created, "buffer"), summary.buffers.ended,
                    summary.heap.allocations, summary.heap.frees);
    if (summary.runtime_blocks > 0)
        seen += fmt::format(", {} kept by the C and C++ runtimes", summary.runtime_blocks);
    std::string reason = inconclusive_reason(report);
    const bool nothing = summary.buffers.created == 0 && summary.heap.allocations == 0 &&
                         summary.mappings.allocations == 0;
    if (!reason.empty() && nothing) return fmt::format("inconclusive: {}\n", reason);
    if (!reason.empty())
        return fmt::format("inconclusive: {}; no fault in what was seen: {}\n", reason, seen);
    return fmt::format("clean: {}\n", seen);
}

}  // namespace

std::string render_text(const Report& report, size_t top) {
    std::string warnings = warnings_text(report);
    std::string findings = findings_text(report, top);
    std::string text = report.gate ? gate_text(report, top) + '\n' + warnings : warnings;
    if (!warnings.empty()) text += '\n';
    if (verdict_of(report) != Verdict::kFaults) text += no_fault_line(report) + '\n';
    text += findings;
    if (!findings.empty()) text += '\n';
    return text + totals_text(report);
}

}  // namespace lastref
