// Every distinct stack once: a tree of nodes (parent, pc, epoch), the id of a stack being that of
// its innermost node. Nodes are written to the trace file's stack chunks before their id is seen by
// anybody, so that no record ever names a stack that a crash could have lost.
//
// Looking up takes no lock: an open-addressing table of 16-byte entries, an entry's id stored last.
// New nodes are added under the session's lock. The table doubles under the same lock; readers of
// the old one may miss what is new, and then look again under the lock.
#ifndef LASTREF_SHIM_STACK_TABLE_H
#define LASTREF_SHIM_STACK_TABLE_H

#include <atomic>
#include <stdint.h>

#include "trace_format.h"

namespace lastref {

struct StackEntry {
    uint64_t key;     // pc with epoch
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

// The id of the stack that has `pc` (as in StackNode) inwards of stack `parent`, which may be a
// StackEnd. 0 where it can't be kept (the loss is counted).
uint32_t stack_child(uint32_t parent, uint64_t pc);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_TABLE_H
