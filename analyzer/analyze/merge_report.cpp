#include "analyze/merge_report.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lastref {
namespace {

void add(ByteTotals& into, const ByteTotals& more) {
    into.allocations += more.allocations;
    into.frees += more.frees;
    into.peak_bytes += more.peak_bytes;
    into.live_bytes += more.live_bytes;
    into.live += more.live;
}

void add(Summary& into, const Summary& more) {
    into.buffers.created += more.buffers.created;
    into.buffers.ended += more.buffers.ended;
    into.buffers.leaked += more.buffers.leaked;
    add(into.heap, more.heap);
    add(into.mappings, more.mappings);
    for (const HookedType& one : more.hooked) {
        HookedType& type = hooked_type(into, one.type);
        type.seen += one.seen;
        type.unseen += one.unseen;
        if (!one.partial.empty()) type.partial = one.partial;
        if (!one.counter_refused.empty()) type.counter_refused = one.counter_refused;
    }
    into.runtime_blocks += more.runtime_blocks;
    into.runtime_bytes += more.runtime_bytes;
    into.buffer_blocks += more.buffer_blocks;
    into.recent_blocks += more.recent_blocks;
    into.recent_bytes += more.recent_bytes;
}

}  // namespace

void merge_report(Report& into, Report&& part, UsageBuilder* usage) {
    const uint64_t first = into.processes.size();
    std::move(part.processes.begin(), part.processes.end(), std::back_inserter(into.processes));
    add(into.summary, part.summary);
    for (Finding& finding : part.findings) {
        finding.process += first;
        into.findings.push_back(std::move(finding));
    }
    if (usage != nullptr && part.usage) usage->add(*part.usage, first);
}

}  // namespace lastref
