// Every distinct stack once: a tree of nodes (parent, pc, epoch), the id of a stack being that of
// its innermost node. Nodes are written to the trace file's stack chunks before their id is seen by
// anybody, so that no record ever names a stack that a crash could have lost.
//
// Looking up takes no lock: an open-addressing table of 16-byte entries, an entry's id stored last.
// A node's slot comes from the hash of the whole path to it, which is known before any id is, so
// that the slots of several nodes can be fetched from memory at once. New nodes are added under the
// session's lock. The table doubles under the same lock; readers of the old one may miss what is
// new, and then look again under the lock.
#ifndef LASTREF_SHIM_STACK_TABLE_H
#define LASTREF_SHIM_STACK_TABLE_H

#include <atomic>
#include <stdint.h>

#include "slow_lock.h"
#include "trace_format.h"

namespace lastref {

struct StackEntry {
    // Of the path with this node as its inner end. Two nodes are taken for one only if they have
    // the same parent and all 64 bits agree: with a thousand children to each of a million nodes
    // that happens once in ten million traces.
    uint64_t hash;
    uint32_t parent;
    std::atomic<uint32_t> id;  // 0: empty
};

struct StackSlots {
    uint64_t mask;
    StackEntry entries[];
};

struct StackTable {
    std::atomic<StackSlots*> slots;
    uint32_t count;        // nodes made; under the session's lock, as all below
    trace::ChunkHeader* chunk;
    int extent;
    uint32_t sequence;
};

// The hash of the empty path that ends outwards in `end`.
inline uint64_t path_end_hash(trace::StackEnd end, uint32_t epoch) {
    return (uint64_t{epoch} << 8 | end) * 0x9e3779b97f4a7c15ull;
}
// The hash of a path, from that of its outer part and the pc of its inner end.
inline uint64_t path_hash(uint64_t outer, uint64_t pc) {
    uint64_t h = outer ^ (pc * 0xff51afd7ed558ccdull);
    h ^= h >> 32;
    return h * 0xc4ceb9fe1a85ec53ull;
}

// Says that find_node will be called for a path with this hash.
void prefetch_node(uint64_t hash);

// The id of the node inwards of `parent` with this path hash; 0: not seen yet. Lock-free.
uint32_t find_node(uint64_t hash, uint32_t parent);

// Adds nodes of one path, from the outside inwards, while it holds the session's lock.
class NodeAdder {
public:
    NodeAdder();
    // The id of the node, new or old; 0 where it can't be kept (the loss is counted).
    uint32_t add(uint64_t hash, uint32_t parent, uint64_t pc);

private:
    SlowLockHolder lock_;
    uint32_t newest_ = 0;  // a node made here: it can't have inner nodes yet
};

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_TABLE_H
