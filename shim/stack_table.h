// Every distinct stack once: a tree of nodes (parent, pc, epoch), the id of a stack being that of
// its innermost node. Nodes are written to the trace file's stack chunks before their id is seen by
// anybody, so that no record ever names a stack that a crash could have lost.
//
// A node is found by the hash of the whole path to it, which a walk knows before any id: one
// look-up gives the id of a stack that was seen before, whatever its depth. Two different paths are
// taken for one only if 96 bits of well-mixed hash agree: for ten million nodes, one chance in
// 10^15.
//   Looking up takes no lock: an open-addressing table of 16-byte entries, an entry's id stored
//   last.
// New nodes are added under the session's lock. The table doubles under the same lock; readers of
// the old one may miss what is new, and then look again under the lock.
#ifndef LASTREF_SHIM_STACK_TABLE_H
#define LASTREF_SHIM_STACK_TABLE_H

#include <stdint.h>
#include <atomic>

#include "slow_lock.h"
#include "trace_format.h"

namespace lastref {

// Of a path: its frames' program counters from the outermost inwards, and how it ends outwards.
struct PathHash {
    uint64_t high;
    uint32_t low;

    static PathHash of_end(trace::StackEnd end, uint32_t epoch) {
        const uint64_t seed = uint64_t{epoch} << 8 | end;
        return {(seed + 1) * 0x9e3779b97f4a7c15ull, static_cast<uint32_t>(seed)};
    }
    PathHash with(uint64_t pc) const {
        uint64_t h = high ^ (pc * 0xff51afd7ed558ccdull);
        h = (h ^ h >> 32) * 0xc4ceb9fe1a85ec53ull;
        const uint64_t l = (low ^ pc ^ pc >> 31) * 0xd6e8feb86659fd93ull;
        return {h, static_cast<uint32_t>(l >> 32)};
    }
};

struct StackEntry {
    uint64_t high;
    uint32_t low;
    std::atomic<uint32_t> id;  // 0: empty
};

struct StackSlots {
    uint64_t mask;
    StackEntry entries[];
};

struct StackTable {
    std::atomic<StackSlots*> slots;
    uint32_t count;  // nodes made; under the session's lock, as all below
    trace::ChunkHeader* chunk;
    int extent;
    uint32_t sequence;
};

// Says that find_stack will be called for this path.
void prefetch_stack(const PathHash& path);

// The id of the stack with this path; 0: not seen yet. Lock-free.
uint32_t find_stack(const PathHash& path);

// Adds the nodes of one path, from the outside inwards, while it holds the session's lock.
class NodeAdder {
public:
    NodeAdder();
    // The id of the node with `pc` inwards of `parent`, whose path is `path`, new or old; 0 where
    // it can't be kept (the loss is counted).
    uint32_t add(const PathHash& path, uint32_t parent, uint64_t pc);

private:
    SlowLockHolder lock_;
    uint32_t newest_ = 0;  // a node made here: it can't have inner nodes yet
};

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_TABLE_H
