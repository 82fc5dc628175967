// Every distinct stack once: finds the id of a stack that was seen before, and defines new ones in
// the trace file's stack chunks (STACKS in trace_format.h) before their id is seen by anybody, so
// that no record ever names a stack that a crash could have lost.
//
// A stack is found by the hash of its whole path, which a walk knows without any id: one look-up,
// whatever the depth. Two different paths are taken for one only if 96 bits of well-mixed hash
// agree: for ten million stacks, one chance in 10^15.
//   The table is a hint, not the truth: a stack that is not found is defined once more, under an id
// that the reader finds to be the same stack. So nobody waits for anybody: entries are added by
// compare-and-swap and never change, look-ups skip what is half done, and what is added to the old
// table while the next one is made is forgotten.
//   Definitions go to a chunk of the thread's own. The lock is taken for a new chunk and for a
// larger table only.
#ifndef LASTREF_SHIM_STACK_TABLE_H
#define LASTREF_SHIM_STACK_TABLE_H

#include <stdint.h>
#include <atomic>

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
    std::atomic<uint64_t> id_and_low;  // 0: free; low word 1: being filled; then id | low << 32
    std::atomic<uint64_t> high;        // stored before the id
};

// Entries share cache lines of four; a path's places are those of one line first.
struct alignas(64) StackSlots {
    static constexpr uint64_t kLine = 4;

    uint64_t mask;
    alignas(64) StackEntry entries[];

    StackEntry& place(const PathHash& path, unsigned probe) {
        const uint64_t index = path.high >> 20;
        const uint64_t line = index / kLine + probe / kLine;
        return entries[(line * kLine + (index + probe) % kLine) & mask];
    }
};

struct StackTable {
    std::atomic<StackSlots*> slots;
    std::atomic<uint32_t> count;  // entries, about
    uint32_t next_id;             // under the session's lock, as all below: ids not yet given out
    uint32_t chunks;
};

// Where one writer defines its stacks: a thread has one beside each of its logs, used like those
// (thread_log.h). All zero: no chunk yet.
struct StackLog {
    uint8_t* cursor;
    uint8_t* limit;
    trace::ChunkHeader* chunk;
    int extent;
    uint32_t next_id, id_end;
    uint64_t last_word;
    uint32_t epoch;
};

// A stack to define: what trace_format.h calls base and drop, and the frames added. `frames` holds
// their pcs, the innermost first, `stride` bytes apart.
struct NewStack {
    uint32_t base, drop, epoch;
    const uint64_t* frames;
    uint32_t count, stride;
};

// Says that the stack with this path will be looked for soon.
void prefetch_stack(const PathHash& path);

// The id of the stack with this path; 0: not known. Lock-free.
uint32_t find_stack(const PathHash& path);

// Defines it and makes it known by `path`. Its id; 0 where it can't be kept (the loss is counted).
uint32_t define_stack(StackLog& log, const NewStack& stack, const PathHash& path);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_TABLE_H
