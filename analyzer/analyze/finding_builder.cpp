#include "analyze/finding_builder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "analyze/fingerprint.h"
#include "analyze/lives_at.h"

namespace lastref {

HistoryEvent FindingBuilder::event(const HistoryRecord& record) {
    return history_event(record, trace_, names_);
}

std::vector<HistoryEvent> FindingBuilder::history(const std::vector<HistoryRecord>& records) {
    std::vector<HistoryEvent> events;
    events.reserve(records.size());
    for (const HistoryRecord& record : records) events.push_back(event(record));
    return events;
}

Finding FindingBuilder::start(Kind kind, uint32_t created_stack) {
    Finding finding;
    finding.kind = kind;
    finding.process = facts_.process;
    finding.created = names_.stack(created_stack);
    return finding;
}

void FindingBuilder::finish(Finding finding, std::initializer_list<const Stack*> stacks,
                            std::string_view cause) {
    if (finding.culprit && finding.kind != Kind::kHeapLeak)
        cause = cause_name(finding.culprit->cause);
    finding.id = fingerprint(finding.kind, finding.type, cause,
                             std::span<const Stack* const>(stacks.begin(), stacks.size()));
    report_.findings.push_back(std::move(finding));
}

void FindingBuilder::scale(Finding& finding, const Estimate& estimate) const {
    if (!facts_.sampling.active()) return;
    finding.sampled =
        SampledFrom{finding.count, finding.bytes, estimate.count_error(), estimate.bytes_error()};
    const uint64_t seen = std::max<uint64_t>(finding.count, 1);
    finding.count = estimate.count();
    finding.bytes = estimate.bytes();
    finding.recent = finding.recent >= seen ? finding.count : finding.recent;
}

}  // namespace lastref
