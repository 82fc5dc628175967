#include "analyze/grouping.h"

#include <algorithm>
#include <tuple>

#include "analyze/finding_builder.h"
#include "analyze/judges.h"

namespace lastref {
namespace {

int rank_of(Kind kind) {
    switch (kind) {
        case Kind::kAllocationFailure:
            return 1;
        case Kind::kHeapLeak:
            return 2;
        case Kind::kMappingLeak:
            return 3;
        case Kind::kGrowth:
            return 4;
        case Kind::kHeld:
            return 5;
        default:
            return 0;
    }
}

// Steps, so that a small difference in confidence does not hide a big leak.
int certainty_of(const Finding& finding) {
    if (rank_of(finding.kind) != 0) return 0;
    if (finding.kind == Kind::kRefcountLeak) {
        if (!finding.culprit) return 2;
        return finding.culprit->confidence >= 0.9 ? 0 : finding.culprit->confidence >= 0.5 ? 1 : 2;
    }
    return finding.culprit && finding.culprit->ambiguous ? 1 : 0;
}

}  // namespace

void add_findings(const Lifecycle& lifecycle, const TraceFacts& facts, TraceFile& trace,
                  StackNames& names, Report& report) {
    FindingBuilder builder(lifecycle, facts, trace, names, report);
    Judges judges(builder);
    add_misuses(builder, judges);
    add_leaks(builder, judges);
    add_heap(builder, judges.paths());
    add_mappings(builder);
}

void sort_findings(std::vector<Finding>& findings) {
    const auto key = [](const Finding& finding) {
        const bool others = finding.created.empty() && finding.example.events.empty();
        // What began in a killed process' last moments weighs nothing.
        const uint64_t share =
            finding.count != 0 ? finding.bytes / finding.count * (finding.count - finding.recent)
                               : 0;
        return std::tuple(rank_of(finding.kind), certainty_of(finding), others, UINT64_MAX - share,
                          UINT64_MAX - finding.bytes, UINT64_MAX - finding.count);
    };
    std::stable_sort(findings.begin(), findings.end(),
                     [&key](const Finding& a, const Finding& b) { return key(a) < key(b); });
}

}  // namespace lastref
