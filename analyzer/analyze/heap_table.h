// Heap blocks by address: live ones, and those that ended and whose address is still unused.
//
// Open addressing with linear probing. A block that ends stays in its slot as 'ended', so that a
// second free of it is known for what it is and the next malloc at that address, which is the
// rule rather than the exception, finds its slot at once. When the table gets full, the oldest
// ended blocks are forgotten: memory is bounded by the number of live blocks.
#ifndef LASTREF_ANALYZER_ANALYZE_HEAP_TABLE_H
#define LASTREF_ANALYZER_ANALYZE_HEAP_TABLE_H

#include <cstdint>
#include <vector>

#include "read/huge_pages.h"
#include "trace_format.h"

namespace lastref {

struct HeapBlock {
    enum State : uint8_t { kUnused, kLive, kEnded };

    uint64_t address = 0;
    uint64_t size = 0;
    uint64_t begin_ticks = 0;
    uint64_t end_ticks = 0;  // of an ended block; of a live one, its follower's number
    uint32_t stack = 0;      // that made it
    union {
        uint32_t end_stack = 0;  // of an ended block
        uint32_t serial;         // of a live one: how many its stack had made before (at most)
    };
    uint32_t thread : 24 = 0;
    uint32_t op : 8 = 0;  // trace::Op that made it
    uint32_t end_thread : 24 = 0;
    uint32_t state : 8 = kUnused;
};
static_assert(sizeof(HeapBlock) == 48);

class HeapTable {
public:
    HeapTable();

    void prefetch(uint64_t address) const {
        const HeapBlock* const block = &slots_[slot_of(address)];
        __builtin_prefetch(block, 1);
        __builtin_prefetch(reinterpret_cast<const char*>(block + 1) - 1,
                           1);  // may be a line further
    }

    // The block at `address`, live or ended; nullptr if there is none. Valid until place().
    HeapBlock* find(uint64_t address) {
        for (size_t slot = slot_of(address);; slot = (slot + 1) & mask_) {
            HeapBlock& block = slots_[slot];
            if (block.address == address && block.state != HeapBlock::kUnused) return &block;
            if (block.state == HeapBlock::kUnused) return nullptr;
        }
    }

    // The slot for a block at `address`: an ended or live one of that address, or an unused one
    // with `address` set. The caller makes it live or ended at once.
    HeapBlock& place(uint64_t address) {
        if (used_ >= limit_) [[unlikely]]
            rebuild();
        for (size_t slot = slot_of(address);; slot = (slot + 1) & mask_) {
            HeapBlock& block = slots_[slot];
            if (block.state == HeapBlock::kUnused) {
                block.address = address;
                ++used_;
                return block;
            }
            if (block.address == address) return block;
        }
    }

    template <typename Visit>
    void for_each_live(Visit&& visit) const {
        for (const HeapBlock& block : slots_) {
            if (block.state == HeapBlock::kLive) visit(block);
        }
    }

private:
    using Slots = std::vector<HeapBlock, HugePages<HeapBlock>>;

    size_t slot_of(uint64_t address) const {
        return static_cast<size_t>((address >> 4) * 0x9e3779b97f4a7c15u >> shift_) & mask_;
    }
    void rebuild();
    void resize(size_t capacity);

    Slots slots_;
    size_t mask_ = 0;
    unsigned shift_ = 0;
    size_t used_ = 0;   // live and ended
    size_t limit_ = 0;  // of used_
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_HEAP_TABLE_H
