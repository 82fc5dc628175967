#include "analyze/grouping.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analyze/blame.h"
#include "analyze/fingerprint.h"
#include "analyze/leaked_groups.h"
#include "analyze/memory_groups.h"
#include "analyze/runtime_blocks.h"
#include "read/op_names.h"

namespace lastref {
namespace {

using trace::Op;

class Builder {
public:
    Builder(const Lifecycle& lifecycle, const TraceFacts& facts, TraceFile& trace,
            StackNames& names, Report& report)
        : lifecycle_(lifecycle), facts_(facts), trace_(trace), names_(names), report_(report) {}

    std::vector<MemoryGroup> by_place(const std::vector<MemoryGroup>& groups) const;
    void scale(Finding& finding, const Estimate& estimate) const;
    void add_misuses();
    void add_leaked_buffers();
    void add_heap();
    void add_mappings();

private:
    HistoryEvent event(const HistoryRecord& record);
    std::vector<HistoryEvent> history(const std::vector<HistoryRecord>& records);
    Finding start(Kind kind, uint32_t created_stack);
    void finish(Finding finding, std::initializer_list<const Stack*> stacks,
                std::string_view cause = "");
    void explain(Finding& finding, const Misuse& misuse);
    void add_memory(Kind kind, const std::vector<MemoryGroup>& groups);

    const Lifecycle& lifecycle_;
    const TraceFacts& facts_;
    TraceFile& trace_;
    StackNames& names_;
    Report& report_;
};

HistoryEvent Builder::event(const HistoryRecord& record) {
    HistoryEvent event;
    event.op = op_name(record.operation());
    event.time_ns = trace_.to_ns(record.ticks);
    event.thread = record.thread;
    event.count = record.count;
    event.hint = trace_.strings()[record.string];
    event.stack = names_.stack(record.stack);
    // What a life sees of a realloc is that its memory ended there.
    if (record.operation() == Op::kReallocBegin) event.op = "realloc";
    return event;
}

std::vector<HistoryEvent> Builder::history(const std::vector<HistoryRecord>& records) {
    std::vector<HistoryEvent> events;
    events.reserve(records.size());
    for (const HistoryRecord& record : records) events.push_back(event(record));
    return events;
}

Finding Builder::start(Kind kind, uint32_t created_stack) {
    Finding finding;
    finding.kind = kind;
    finding.process = facts_.process;
    finding.created = names_.stack(created_stack);
    return finding;
}

// The culprit's cause goes before `cause`, which is for what has none.
void Builder::finish(Finding finding, std::initializer_list<const Stack*> stacks,
                     std::string_view cause) {
    if (finding.culprit) cause = cause_name(finding.culprit->cause);
    finding.id = fingerprint(finding.kind, finding.type, cause,
                             std::span<const Stack* const>(stacks.begin(), stacks.size()));
    report_.findings.push_back(std::move(finding));
}

// Errors have a place where they happened; for an over-release it is as likely that an earlier
// release was the one too many.
void Builder::explain(Finding& finding, const Misuse& misuse) {
    Culprit culprit;
    culprit.stack = names_.stack(misuse.stack);
    culprit.frame = telling_frame(culprit.stack);
    culprit.confidence = 1;
    switch (misuse.kind) {
        case Kind::kOverRelease:
            culprit.explanation =
                "released here after the last reference was gone; this release "
                "or one before it is one too many";
            culprit.ambiguous = true;
            culprit.confidence = 0.5;
            break;
        case Kind::kUseAfterRelease:
            culprit.explanation = "used here after the last reference was gone";
            break;
        case Kind::kFreedWhileReferenced:
            culprit.explanation =
                "its memory is freed here while the count is " + std::to_string(misuse.count_max);
            break;
        case Kind::kDoubleFree:
            culprit.explanation = "freed here a second time";
            break;
        default:
            break;
    }
    if (culprit.stack.empty()) return;
    finding.suspects.push_back(culprit);
    if (misuse.kind == Kind::kOverRelease) {
        for (const HistoryRecord& record : misuse.history) {
            if (record.operation() != Op::kRelease || finding.suspects.size() >= 8) continue;
            const bool listed = std::any_of(
                misuse.history.begin(), misuse.history.end(), [&record](const auto& other) {
                    return &other < &record && other.operation() == Op::kRelease &&
                           other.stack == record.stack;
                });
            if (listed || record.stack == misuse.stack) continue;
            Culprit before;
            before.stack = names_.stack(record.stack);
            before.frame = telling_frame(before.stack);
            before.confidence = 0.4;
            before.ambiguous = true;
            before.explanation = "an earlier release of the same buffer";
            if (!before.stack.empty()) finding.suspects.push_back(std::move(before));
        }
    }
    finding.culprit = std::move(culprit);
}

// A sample stands for more: from here on the finding tells of that.
void Builder::scale(Finding& finding, const Estimate& estimate) const {
    if (!facts_.sampling.active()) return;
    finding.sampled =
        SampledFrom{finding.count, finding.bytes, estimate.count_error(), estimate.bytes_error()};
    const uint64_t seen = std::max<uint64_t>(finding.count, 1);
    finding.count = estimate.count();
    finding.bytes = estimate.bytes();
    finding.recent = finding.recent >= seen ? finding.count : finding.recent;
}

void Builder::add_misuses() {
    lifecycle_.misuses().for_each([this](const Misuse& misuse) {
        const bool failure = misuse.kind == Kind::kAllocationFailure;
        // Damage that was met after judging had begun: an odd event proves nothing any more.
        if (!failure && facts_.lost != 0) return;
        Finding finding = start(misuse.kind, misuse.created_stack);
        finding.type =
            failure || misuse.kind == Kind::kDoubleFree ? "heap" : trace_.strings()[misuse.type];
        finding.count = misuse.count;
        finding.bytes = misuse.bytes;
        finding.final_count_min = misuse.count_min;
        finding.final_count_max = misuse.count_max;
        finding.example.buffer = misuse.address;
        finding.example.size = misuse.size;
        finding.example.events = history(misuse.history);
        finding.example.events_left_out = misuse.left_out;
        if (failure) {
            const std::string_view call = failed_call_name(misuse.detail);
            if (call == "mmap" || call == "mremap") finding.type = "mapping";
            finding.reason = std::string(call) + " returned no memory";
        } else {
            explain(finding, misuse);
        }
        finish(std::move(finding),
               {&names_.stack(misuse.created_stack), &names_.stack(misuse.stack)});
    });
}

void Builder::add_leaked_buffers() {
    const Buffers& buffers = lifecycle_.buffers();
    for (const LeakedGroup& group : group_leaked(buffers, facts_)) {
        const OriginStatistics& origin = buffers.origins().at(group.origin);
        const Held held = why_held(group, origin, buffers.event_count(), facts_);
        const bool leak = held.cause == Cause::kUnknown;
        Finding finding = start(leak ? Kind::kRefcountLeak : Kind::kHeld, group.origin.second);
        finding.type = trace_.strings()[group.origin.first];
        finding.count = group.count;
        finding.bytes = group.bytes;
        finding.final_count_min = group.final_count_min;
        finding.final_count_max = group.final_count_max;
        finding.recent = group.recent;
        finding.peers_ended = origin.ended;
        finding.final_count_known = facts_.counts_known;
        if (facts_.sampling.active()) {
            Estimate estimate;
            estimate.add_many(group.count, group.bytes, 1 / facts_.sampling.interval);
            scale(finding, estimate);
        }
        finding.example.buffer = group.example->address;
        finding.example.size = group.example->size;
        finding.example.events = history(group.example->history.in_order());
        finding.example.events_left_out = group.example->history.left_out();
        if (leak) {
            if (facts_.counts_known) {
                Blame blame =
                    blame_leak(group.sites, origin.ended_sites, group.origin.second, names_);
                finding.culprit = std::move(blame.culprit);
                finding.suspects = std::move(blame.suspects);
            }
            report_.summary.buffers.leaked += finding.count;
        } else {
            finding.reason = std::string(cause_name(held.cause)) + ": " + held.reason;
        }
        const Stack& created = names_.stack(group.origin.second);
        const Stack none;
        // By value: `finding` is moved from.
        const Stack culprit = finding.culprit ? finding.culprit->stack : none;
        finish(std::move(finding), {&created, &culprit}, leak ? "" : cause_name(held.cause));
    }
}

void Builder::add_memory(Kind kind, const std::vector<MemoryGroup>& groups) {
    const char* const type = kind == Kind::kHeapLeak ? "heap" : "mapping";
    Finding rest = start(kind, 0);
    rest.type = type;
    uint64_t rest_groups = 0;
    for (size_t i = 0; i < groups.size(); ++i) {
        const MemoryGroup& group = groups[i];
        if (i >= kMostMemoryFindings) {
            ++rest_groups;
            rest.count += group.count;
            rest.bytes += group.bytes;
            rest.recent += group.recent;
            rest.peers_ended += group.peers_ended;
            continue;
        }
        Finding finding = start(kind, group.stack);
        finding.type = type;
        finding.count = group.count;
        finding.bytes = group.bytes;
        finding.recent = group.recent;
        finding.peers_ended = group.peers_ended;
        if (kind == Kind::kHeapLeak) scale(finding, group.estimate);
        if (facts_.lost != 0) finding.reason = "events are missing; these may have ended unseen";
        finding.example.buffer = group.address;
        finding.example.size = group.size;
        HistoryRecord made;
        made.ticks = group.ticks;
        made.stack = group.stack;
        made.thread = group.thread;
        made.op = static_cast<uint8_t>(group.op);
        finding.example.events.push_back(event(made));
        finish(std::move(finding), {&names_.stack(group.stack)});
    }
    if (rest_groups != 0) {
        rest.reason = std::to_string(rest_groups) + " smaller groups together";
        finish(std::move(rest), {});
    }
}

bool same_place(const Stack& a, const Stack& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Frame& x, const Frame& y) {
        return x.line == y.line && (x.line != 0 || x.offset == y.offset) &&
               x.function == y.function && x.file == y.file && x.module == y.module;
    });
}

// Stacks that differ in addresses only, as those through an unrolled loop do, are one place in the
// source. The order is kept; the first of each place is its example.
std::vector<MemoryGroup> Builder::by_place(const std::vector<MemoryGroup>& groups) const {
    std::vector<MemoryGroup> places;
    std::unordered_multimap<size_t, size_t> known;  // a cheap key to indexes of places
    for (const MemoryGroup& group : groups) {
        const Stack& stack = names_.stack(group.stack);
        size_t key = stack.size();
        for (size_t i = 0; i < std::min<size_t>(stack.size(), 3); ++i) {
            key = key * 1'000'003 + std::hash<std::string>()(stack[i].function) + stack[i].line;
        }
        const auto [first, last] = known.equal_range(key);
        const auto at = std::find_if(first, last, [&](const auto& entry) {
            return same_place(names_.stack(places[entry.second].stack), stack);
        });
        if (at == last) {
            known.emplace(key, places.size());
            places.push_back(group);
            continue;
        }
        MemoryGroup& whole = places[at->second];
        whole.count += group.count;
        whole.bytes += group.bytes;
        whole.recent += group.recent;
        whole.recent_bytes += group.recent_bytes;
        whole.peers_ended += group.peers_ended;
        whole.estimate.add(group.estimate);
    }
    std::stable_sort(places.begin(), places.end(), [](const MemoryGroup& a, const MemoryGroup& b) {
        return std::pair(a.bytes - a.recent_bytes, a.bytes) >
               std::pair(b.bytes - b.recent_bytes, b.bytes);
    });
    return places;
}

void Builder::add_heap() {
    uint64_t behind_buffers = 0;
    std::vector<MemoryGroup> groups =
        group_blocks(lifecycle_.heap(), lifecycle_.buffers(), facts_, behind_buffers);
    report_.summary.buffer_blocks += behind_buffers;
    std::erase_if(groups, [this](const MemoryGroup& group) {
        if (!is_runtime_block(group.stack, names_)) return false;
        report_.summary.runtime_blocks += group.count;
        report_.summary.runtime_bytes += group.bytes;
        return true;
    });
    for (const MemoryGroup& group : groups) {
        report_.summary.recent_blocks += group.recent;
        report_.summary.recent_bytes += group.recent_bytes;
    }
    add_memory(Kind::kHeapLeak, by_place(groups));
}

void Builder::add_mappings() {
    std::vector<MemoryGroup> groups = group_mappings(lifecycle_.mappings(), facts_);
    std::erase_if(groups, [this](const MemoryGroup& group) {
        return is_allocator_mapping(group.stack, names_);
    });
    add_memory(Kind::kMappingLeak, groups);
}

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
    Builder builder(lifecycle, facts, trace, names, report);
    builder.add_misuses();
    builder.add_leaked_buffers();
    builder.add_heap();
    builder.add_mappings();
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
