#include "report/gate_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "report/same_findings.h"
#include "report/units.h"

namespace lastref {
namespace {

class Lines {
public:
    explicit Lines(size_t most) : most_(most) {}

    void list(const std::vector<std::string>& items, std::string_view label) {
        const size_t shown = std::min(items.size(), most_);
        for (size_t i = 0; i < shown; ++i) text += fmt::format("  {}{}\n", label, items[i]);
        if (items.size() > shown)
            text += fmt::format("  {}({} more)\n", label, items.size() - shown);
    }
    std::string text;

private:
    size_t most_;
};

std::string counts(const Report& report) {
    std::map<std::string_view, size_t> by_standing;
    for (const SameFindings& same : same_findings(report))
        ++by_standing[standing_name(same.example().standing)];
    std::string text = counted(report.processes.size(), "trace");
    for (const auto& [standing, count] : by_standing)
        if (!standing.empty()) text += fmt::format(", {} {}", count, standing);
    return text;
}

std::string upper(std::string text) {
    for (char& letter : text)
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    return text;
}

}  // namespace

std::string gate_text(const Report& report, size_t most) {
    const GateSummary& gate = *report.gate;
    Lines lines(most);
    lines.text = fmt::format("leak-gate: {}: {}\n", upper(gate.verdict), counts(report));
    lines.list(gate.reasons, "");
    lines.list(gate.gone, "gone from the baseline's findings: ");
    std::vector<std::string> used, unused;
    for (const SuppressionUse& use : gate.suppressions) {
        const std::string words =
            fmt::format("{} ({})", printable(use.text), printable(use.origin));
        if (use.uses == 0)
            unused.push_back(words);
        else
            used.push_back(fmt::format("{} {}", words, counted(use.uses, "time")));
    }
    lines.list(used, "suppression used: ");
    lines.list(unused, "suppression never matched: ");
    lines.list(gate.notes, "note: ");
    return lines.text;
}

}  // namespace lastref
