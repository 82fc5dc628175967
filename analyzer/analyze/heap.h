// The lives of heap blocks.
//
//            malloc, calloc, memalign, realloc (new address)
//   none/ended ─────────────────────────────────────────────▶ live
//     ▲  │ free: double free                                   │ │
//     │  ▼                                                     │ │ realloc begins
//     │ (reported once per pair of stacks)                     │ ▼
//     │                          free                          │ pending ──realloc fails──▶ live
//     └────────────────────────────────────────────────────────┘   │
//     └────────────────────────────────────────realloc succeeds────┘
//
// A free of an address that was never seen is of a block whose allocation was not seen: counted,
// not judged. A malloc at a live address means that a free was not seen: the old life is over. A
// second free may be the first one that was seen of a block that was allocated unseen: what becomes
// of its address decides. If it is handed out twice, it was free twice; if it lives on as any
// other, and the allocator is one that looks out for double frees, it was not. See HeapGaps.
#ifndef LASTREF_ANALYZER_ANALYZE_HEAP_H
#define LASTREF_ANALYZER_ANALYZE_HEAP_H

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "analyze/free_places.h"
#include "analyze/heap_gaps.h"
#include "analyze/heap_table.h"
#include "analyze/misuse.h"
#include "analyze/stack_counters.h"
#include "analyze/trace_follower.h"
#include "read/event.h"

namespace lastref {

struct HeapTotals {
    uint64_t allocations = 0;
    uint64_t frees = 0;
    uint64_t live_bytes = 0;
    uint64_t peak_bytes = 0;
};

class Heap {
public:
    // `judge_double_frees` is false where events are missing.
    Heap(MisuseLog& misuses, bool judge_double_frees)
        : misuses_(misuses), judge_double_frees_(judge_double_frees) {}

    // `follower` is notified of every begin and end from here on, and must outlive this.
    void report_to(TraceFollower* follower) { follower_ = follower; }

    // Prefetches the memory that begin() or end() of `event` will touch.
    void prefetch(const Event& event) const {
        table_.prefetch(event.address);
        allocations_by_stack_.prefetch(event.stack);
    }

    // malloc, calloc, memalign, and the new block of a realloc.
    void begin(const Event& event) {
        HeapBlock& block = table_.place(event.address);
        if (block.state == HeapBlock::kLive) [[unlikely]]
            replace(block);
        block.size = event.size;
        block.begin_ticks = event.ticks;
        block.stack = event.stack;
        block.thread = event.thread;
        block.op = static_cast<uint8_t>(event.op);
        block.state = HeapBlock::kLive;
        ++totals_.allocations;
        totals_.live_bytes += event.size;
        if (totals_.live_bytes > totals_.peak_bytes) totals_.peak_bytes = totals_.live_bytes;
        const uint64_t serial = allocations_by_stack_.increment(event.stack);
        block.serial = static_cast<uint32_t>(std::min<uint64_t>(serial, UINT32_MAX));
        if (follower_ != nullptr) [[unlikely]]
            block.end_ticks = follower_->begins(life_of(block));
    }

    // free. Returns the size of the block that ended, nothing if none did.
    std::optional<uint64_t> end(const Event& event) {
        HeapBlock* const block = table_.find(event.address);
        if (block == nullptr || block->state != HeapBlock::kLive) [[unlikely]] {
            free_of_no_block(event, block);
            return std::nullopt;
        }
        ++totals_.frees;
        totals_.live_bytes -= block->size;
        if (follower_ != nullptr) [[unlikely]]
            follower_->ends(life_of(*block));
        if (!freed_twice_.empty()) [[unlikely]]
            gaps_.second_frees += freed_twice_.erase(event.address);
        if (FreePlaces::looks_at(block->serial))
            free_places_.count(block->stack, event.stack, event.ticks - block->begin_ticks);
        block->end_ticks = event.ticks;
        block->end_stack = event.stack;
        block->end_thread = event.thread;
        block->state = HeapBlock::kEnded;
        return block->size;
    }

    // The old block of a realloc. Returns its size if it was live.
    std::optional<uint64_t> realloc_begins(const Event& event);
    // The block that realloc_begins() of the same log removed lives on.
    void realloc_failed(const Event& event);

    const HeapTotals& totals() const { return totals_; }
    const HeapGaps& gaps() const { return gaps_; }
    const HeapTable& blocks() const { return table_; }
    uint64_t allocations_at(uint32_t stack) const { return allocations_by_stack_[stack]; }
    const FreePlaces& free_places() const { return free_places_; }

private:
    static FollowedLife life_of(const HeapBlock& live) {
        return {FollowedLife::kHeap, live.stack, live.address,  live.size,
                live.begin_ticks,    0,          live.end_ticks};
    }
    void replace(HeapBlock& block);
    void free_of_no_block(const Event& event, const HeapBlock* ended);

    MisuseLog& misuses_;
    const bool judge_double_frees_;
    HeapTable table_;
    HeapTotals totals_;
    HeapGaps gaps_;
    std::unordered_set<uint64_t>
        freed_twice_;  // addresses, until it shows whether they really were
    StackCounters allocations_by_stack_;
    FreePlaces free_places_;
    TraceFollower* follower_ = nullptr;
    std::unordered_map<uint32_t, HeapBlock> reallocs_;  // by log: the block before its realloc
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_HEAP_H
