#include "analyze/heap_table.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace lastref {

HeapTable::HeapTable() {
    resize(1024);
}

void HeapTable::resize(size_t capacity) {
    slots_ = Slots(capacity);
    mask_ = capacity - 1;
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(capacity));
    used_ = 0;
    limit_ = capacity / 10 * 7;
}

// Room for the live blocks and at least as many new ones; what is left goes to the ended blocks
// that ended last.
void HeapTable::rebuild() {
    size_t live = 0;
    std::vector<uint64_t> ends;
    for (const HeapBlock& block : slots_) {
        if (block.state == HeapBlock::kLive) ++live;
        if (block.state == HeapBlock::kEnded) ends.push_back(block.end_ticks);
    }
    const size_t capacity = std::bit_ceil(std::max<size_t>(1024, live * 3));
    const size_t room = capacity / 10 * 7 - live;
    uint64_t oldest_kept = 0;
    if (ends.size() > room / 2) {
        const auto cut = ends.end() - static_cast<std::ptrdiff_t>(room / 2);
        std::nth_element(ends.begin(), cut, ends.end());
        oldest_kept = *cut;
    }
    size_t ended_room = room / 2;  // many may have ended at the same tick
    const Slots old = std::exchange(slots_, {});
    resize(capacity);
    for (const HeapBlock& block : old) {
        const bool live_block = block.state == HeapBlock::kLive;
        if (!live_block && (block.state == HeapBlock::kUnused || ended_room == 0 ||
                            block.end_ticks < oldest_kept)) {
            continue;
        }
        if (!live_block) --ended_room;
        place(block.address) = block;
    }
}

}  // namespace lastref
