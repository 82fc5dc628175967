#include "gate/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "gate/untraced.h"
#include "report/same_findings.h"
#include "report/units.h"
#include "report/verdict.h"

namespace lastref {
namespace {

bool is_plain_memory(const Finding& finding) {
    return finding.kind == Kind::kHeapLeak || finding.kind == Kind::kMappingLeak;
}

bool is_system_file(std::string_view path, const GateRules& rules) {
    for (const std::string& folder : rules.system_folders)
        if (path.starts_with(folder) &&
            (folder.ends_with('/') || path.substr(folder.size()).starts_with('/')))
            return true;
    static constexpr std::array<std::string_view, 5> kFolders = {"/usr/", "/lib", "/bin/", "/sbin/",
                                                                 "/nix/store/"};
    return !path.starts_with("/usr/local/") &&
           std::any_of(kFolders.begin(), kFolders.end(),
                       [&](std::string_view folder) { return path.starts_with(folder); });
}

// Shells, interpreters and build tools keep blocks until they end. Nobody who tests a program of
// theirs can mend those.
// A finding without a stack (as the one that sums up many small groups) counts as the program's
// own.
bool is_the_systems(const Finding& finding, const Report& report, const GateRules& rules) {
    if (!is_plain_memory(finding)) return false;
    if (finding.created.empty())
        return is_system_file(report.processes[finding.process].executable, rules);
    return std::all_of(finding.created.begin(), finding.created.end(), [&](const Frame& frame) {
        return frame.module.empty() || is_system_file(frame.module, rules);
    });
}

bool is_the_systems(const SameFindings& same, const Report& report, const GateRules& rules) {
    return std::all_of(same.findings.begin(), same.findings.end(), [&](const Finding* finding) {
        return is_the_systems(*finding, report, rules);
    });
}

bool is_left_out(const SameFindings& same, const Report& report, const GateRules& rules) {
    const Finding& finding = same.example();
    if (!rules.kinds.empty() && !rules.kinds.contains(std::string(kind_name(finding.kind))))
        return true;
    if (same.count < rules.min_count) return true;
    if (!is_plain_memory(finding) && rules.min_confidence > 0 &&
        (!finding.culprit || finding.culprit->confidence < rules.min_confidence))
        return true;
    return !rules.system && is_the_systems(same, report, rules);
}

void set_standing(Report& report, const SameFindings& same, Standing standing) {
    // The findings are the report's own; same_findings only looks at them.
    for (const Finding* finding : same.findings)
        report.findings[static_cast<size_t>(finding - report.findings.data())].standing = standing;
}

class Judge {
public:
    Judge(Report& report, const GateRules& rules, Suppressions& suppressions)
        : report_(report), rules_(rules), suppressions_(suppressions) {}

    void findings() {
        std::vector<const SameFindings*> open;
        const std::vector<SameFindings> all = same_findings(report_);
        for (const SameFindings& same : all) {
            // Each suppression counts what it would take out, needed or not.
            if (suppressions_.suppress(same.example())) {
                set_standing(report_, same, Standing::kSuppressed);
            } else if (is_left_out(same, report_, rules_)) {
                set_standing(report_, same, Standing::kLeftOut);
                left_out_ += is_the_systems(same, report_, rules_);
            } else {
                open.push_back(&same);
            }
            seen_.insert(same.id());
        }
        for (const SameFindings* same : open) judge_one(*same);
        budgets(open);
    }

    void gone(GateSummary& gate) const {
        if (!rules_.baseline) return;
        for (const auto& [id, entry] : *rules_.baseline)
            if (!seen_.contains(id)) gate.gone.push_back(entry.line);
    }

    std::vector<std::string> failures;
    uint64_t left_out() const { return left_out_; }

private:
    void judge_one(const SameFindings& same) {
        Standing standing = Standing::kNew;
        std::string words = "new: ";
        if (rules_.baseline) {
            const auto known = rules_.baseline->find(same.id());
            if (known != rules_.baseline->end()) {
                standing = same.count > known->second.count ? Standing::kGrown : Standing::kKnown;
                words = fmt::format("grown from {}: ", known->second.count);
            }
        }
        const bool budgeted =
            std::any_of(rules_.budgets.begin(), rules_.budgets.end(),
                        [&](const Budget& budget) { return budget.type == same.example().type; });
        if (budgeted && is_failing(standing)) standing = Standing::kWithinBudget;
        set_standing(report_, same, standing);
        if (is_failing(standing))
            failures.push_back(fmt::format("{}{}, {} [{}]", words, describe(same),
                                           place_text(same.example(), report_.root), same.id()));
    }

    void budgets(const std::vector<const SameFindings*>& open) {
        for (const Budget& budget : rules_.budgets) {
            uint64_t used = 0;
            for (const SameFindings* same : open)
                if (same->example().type == budget.type)
                    used += budget.is_bytes ? same->bytes : same->count;
            if (used <= budget.limit) continue;
            for (const SameFindings* same : open)
                if (same->example().type == budget.type)
                    set_standing(report_, *same, Standing::kOverBudget);
            failures.push_back(
                fmt::format("budget {} exceeded: {} leaked", budget.text,
                            budget.is_bytes ? bytes_text(used) : std::to_string(used)));
        }
    }

    Report& report_;
    const GateRules& rules_;
    Suppressions& suppressions_;
    std::set<std::string> seen_;
    uint64_t left_out_ = 0;
};

// Why no verdict can be drawn from these traces, whatever was found.
void add_process_doubts(const Report& report, const GateRules& rules,
                        std::vector<std::string>& doubts) {
    std::map<std::string, std::pair<const Process*, uint64_t>> by_reason;
    for (const Process& process : report.processes) {
        std::string reason;
        if (process.exit == "running")
            reason = "still runs: let the command wait for it";
        else if (!process.complete)
            reason = process.warnings.empty() ? counted(process.lost, "event") + " lost"
                                              : printable(process.warnings.front());
        else if (process.cut_chunks != 0)
            reason = "its trace is a ring: what began early is not reported";
        if (reason.empty()) continue;
        auto [at, is_new] = by_reason.try_emplace(reason, &process, 0);
        ++at->second.second;
    }
    for (const auto& [reason, who] : by_reason) {
        const std::string more =
            who.second > 1 ? fmt::format(" and {}", counted(who.second - 1, "more process")) : "";
        doubts.push_back(fmt::format("{}{}: {}", process_label(*who.first), more, reason));
    }
    if (report.processes.empty())
        doubts.push_back(
            "the command left no trace: its environment was cleaned, it is static or set-uid, or "
            "recording is off (LASTREF_LEVEL)");
    else if (!rules.allow_untraced)
        for (const std::string& missing : untraced_processes(report)) doubts.push_back(missing);
    if (report.summary.coverage < rules.min_coverage)
        doubts.push_back(
            fmt::format("coverage too low: {:.1f} % of the operations on hooked buffers were seen, "
                        "{:.1f} % are "
                        "wanted (--min-coverage)",
                        report.summary.coverage * 100, rules.min_coverage * 100));
}

bool is_sample(const Report& report) {
    return std::any_of(report.processes.begin(), report.processes.end(),
                       [](const Process& process) { return process.sample_bytes != 0; });
}

}  // namespace

void judge(Report& report, const GateRules& rules, Suppressions& suppressions,
           const Doubts& doubts) {
    GateSummary gate;
    Judge judge(report, rules, suppressions);
    judge.findings();
    judge.gone(gate);
    gate.suppressions = suppressions.uses();
    if (judge.left_out() > 0)
        gate.notes.push_back(
            fmt::format("{} of plain memory in the system's own programs left out (--system)",
                        counted(judge.left_out(), "finding")));
    for (const SuppressionUse& use : gate.suppressions)
        if (rules.strict && use.uses == 0)
            judge.failures.push_back(fmt::format("stale suppression {}: {}", use.origin, use.text));

    std::vector<std::string> unsure = doubts.reasons;
    add_process_doubts(report, rules, unsure);
    if (unsure.empty() && judge.failures.empty() && is_sample(report))
        unsure.push_back("coverage too low: a sample was recorded (--level paranoid records all)");

    gate.verdict = !unsure.empty() ? "inconclusive" : !judge.failures.empty() ? "fail" : "pass";
    gate.reasons = unsure;
    gate.reasons.insert(gate.reasons.end(), judge.failures.begin(), judge.failures.end());
    report.gate = std::move(gate);
}

}  // namespace lastref
