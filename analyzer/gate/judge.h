// Decides what passes: gives each finding of a report its standing, and the gate its
// verdict.
#ifndef LASTREF_ANALYZER_GATE_JUDGE_H
#define LASTREF_ANALYZER_GATE_JUDGE_H

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyze/findings.h"
#include "gate/baseline.h"
#include "gate/budget.h"
#include "gate/suppressions.h"

namespace lastref {

struct GateRules {
    double min_confidence = 0;    // of a culprit, 0 to 1; plain memory is not affected
    uint64_t min_count = 1;       // of a finding, all processes together
    double min_coverage = 0.95;   // of the operations on hooked libraries' buffers
    std::set<std::string> kinds;  // empty: all
    bool system = false;          // judge plain memory of the system's own programs, too
    std::vector<std::string>
        system_folders;   // of programs that count as the system's, besides /usr
    bool strict = false;  // a suppression that matches nothing fails
    bool allow_untraced = false;
    std::vector<Budget> budgets;
    std::optional<Baseline> baseline;
};

// Further reasons against a verdict. Each is a sentence.
struct Doubts {
    std::vector<std::string> reasons;
};

// Sets Finding::standing of all faults and Report::gate. Any doubt makes the gate inconclusive;
// that a trace is only a sample does so where it would have passed.
void judge(Report& report, const GateRules& rules, Suppressions& suppressions,
           const Doubts& doubts);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_JUDGE_H
