// Findings of heap blocks and mappings that are live at the end.
#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>

#include "analyze/finding_builder.h"
#include "analyze/grouping.h"
#include "analyze/memory_groups.h"
#include "analyze/missing_frees.h"
#include "analyze/runtime_blocks.h"

namespace lastref {
namespace {

void add_memory(FindingBuilder& builder, Kind kind, const std::vector<MemoryGroup>& groups,
                MissingFrees* missing_frees) {
    const char* const type = kind == Kind::kHeapLeak ? "heap" : "mapping";
    const bool in_part = kind == Kind::kHeapLeak && builder.facts().heap_in_part;
    const Kind verdict = in_part ? Kind::kHeld : kind;
    Finding rest = builder.start(verdict, 0);
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
        Finding finding = builder.start(verdict, group.stack);
        finding.type = type;
        finding.count = group.count;
        finding.bytes = group.bytes;
        finding.recent = group.recent;
        finding.peers_ended = group.peers_ended;
        if (kind == Kind::kHeapLeak) builder.scale(finding, group.estimate);
        if (builder.facts().lost != 0)
            finding.reason = "events are missing; these may have ended unseen";
        else if (in_part)
            finding.reason = std::string(cause_name(Cause::kUnseen)) +
                             ": the heap was seen in part; these may have been freed unseen";
        else if (missing_frees != nullptr)
            missing_frees->judge(group, finding);
        finding.example.buffer = group.address;
        finding.example.size = group.size;
        HistoryRecord made;
        made.ticks = group.ticks;
        made.stack = group.stack;
        made.thread = group.thread;
        made.op = static_cast<uint8_t>(group.op);
        finding.example.events.push_back(builder.event(made));
        builder.finish(std::move(finding), {&builder.names().stack(group.stack)});
    }
    if (rest_groups != 0) {
        rest.reason = std::to_string(rest_groups) + " smaller groups together";
        builder.finish(std::move(rest), {});
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
std::vector<MemoryGroup> by_place(const std::vector<MemoryGroup>& groups, StackNames& names) {
    std::vector<MemoryGroup> places;
    std::unordered_multimap<size_t, size_t> known;  // a cheap key to indexes of places
    for (const MemoryGroup& group : groups) {
        const Stack& stack = names.stack(group.stack);
        size_t key = stack.size();
        for (size_t i = 0; i < std::min<size_t>(stack.size(), 3); ++i) {
            key = key * 1'000'003 + std::hash<std::string>()(stack[i].function) + stack[i].line;
        }
        const auto [first, last] = known.equal_range(key);
        const auto at = std::find_if(first, last, [&](const auto& entry) {
            return same_place(names.stack(places[entry.second].stack), stack);
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
        whole.forgotten += group.forgotten;
        whole.ranks.add(group.ranks);
        if (whole.not_forgotten == nullptr) whole.not_forgotten = group.not_forgotten;
        whole.stacks.insert(whole.stacks.end(), group.stacks.begin(), group.stacks.end());
    }
    std::stable_sort(places.begin(), places.end(), [](const MemoryGroup& a, const MemoryGroup& b) {
        return std::pair(a.bytes - a.recent_bytes, a.bytes) >
               std::pair(b.bytes - b.recent_bytes, b.bytes);
    });
    return places;
}

}  // namespace

void add_heap(FindingBuilder& builder, CallPaths& paths) {
    StackNames& names = builder.names();
    Summary& summary = builder.report().summary;
    uint64_t behind_buffers = 0;
    // What libc made and its variables point to: __libc_freeres() would free it.
    const auto is_libcs = [&](const HeapBlock& block) {
        if (!builder.facts().libc.points_to(block.address) || !is_made_by_libc(block.stack, names))
            return false;
        ++summary.runtime_blocks;
        summary.runtime_bytes += block.size;
        return true;
    };
    std::vector<MemoryGroup> groups =
        group_blocks(builder.lifecycle().heap(), builder.lifecycle().buffers(), builder.facts(),
                     is_libcs, behind_buffers);
    summary.buffer_blocks += behind_buffers;
    std::erase_if(groups, [&](const MemoryGroup& group) {
        if (!is_runtime_block(group.stack, names)) return false;
        summary.runtime_blocks += group.count;
        summary.runtime_bytes += group.bytes;
        return true;
    });
    for (const MemoryGroup& group : groups) {
        summary.recent_blocks += group.recent;
        summary.recent_bytes += group.recent_bytes;
    }
    const std::vector<MemoryGroup> places = by_place(groups, names);
    MissingFrees missing_frees(builder.lifecycle().heap(), paths, names, places);
    add_memory(builder, Kind::kHeapLeak, places, &missing_frees);
}

void add_mappings(FindingBuilder& builder) {
    StackNames& names = builder.names();
    std::vector<MemoryGroup> groups =
        group_mappings(builder.lifecycle().mappings(), builder.facts());
    std::erase_if(
        groups, [&](const MemoryGroup& group) { return is_allocator_mapping(group.stack, names); });
    add_memory(builder, Kind::kMappingLeak, groups, nullptr);
}

}  // namespace lastref
