// Heap blocks and mappings that are live when the trace ends, grouped by what made them.
#ifndef LASTREF_ANALYZER_ANALYZE_MEMORY_GROUPS_H
#define LASTREF_ANALYZER_ANALYZE_MEMORY_GROUPS_H

#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/buffers.h"
#include "analyze/heap.h"
#include "analyze/mappings.h"
#include "analyze/rank_test.h"
#include "analyze/trace_facts.h"

namespace lastref {

struct MemoryGroup {
    uint32_t stack = 0;
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t recent = 0, recent_bytes = 0;  // made in a killed process' last moments
    uint64_t peers_ended = 0;
    // Of heap blocks: how many look forgotten, and why the others do not.
    uint64_t forgotten = 0;
    const char* not_forgotten = nullptr;
    RankTest ranks;                // among all blocks that were made by the same stack
    std::vector<uint32_t> stacks;  // that made them; `stack` is the first
    Estimate estimate;             // where a sample was recorded
    // The example: the oldest.
    uint64_t address = 0, size = 0, ticks = 0;
    uint32_t thread = 0;
    trace::Op op = trace::Op::kMalloc;
};

// Biggest first, what is recent counted last.
// A block that a live buffer lies in is that buffer's memory, and left out: `behind_buffers` counts
// those. Left out are also those that are kept, as `is_kept` says.
std::vector<MemoryGroup> group_blocks(const Heap& heap, const Buffers& buffers,
                                      const TraceFacts& facts,
                                      const std::function<bool(const HeapBlock&)>& is_kept,
                                      uint64_t& behind_buffers);
std::vector<MemoryGroup> group_mappings(const Mappings& mappings, const TraceFacts& facts);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MEMORY_GROUPS_H
