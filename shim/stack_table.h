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
    // One multiplication to 128 bits, folded (as in wyhash, Wang Yi); `low` gathers the upper half
    // by itself.
    PathHash with(uint64_t pc) const {
        constexpr uint64_t kFactor = 0xff51afd7ed558ccdull;
        uint64_t lower = high ^ pc, upper;
        asm("mulq %2" : "+a"(lower), "=d"(upper) : "rm"(kFactor) : "cc");
        return {lower ^ upper, (low << 7 | low >> 25) + static_cast<uint32_t>(upper >> 13)};
    }
};

struct StackEntry {
    static constexpr uint32_t kFilling = 1;  // in place of an id

    std::atomic<uint64_t> id_and_low;  // 0: free; kFilling; then id | low << 32
    std::atomic<uint64_t> high;        // stored before the id
};

// Entries share cache lines of four, filled in order. A path's are those of one line, then of the
// lines behind it.
struct alignas(64) StackSlots {
    static constexpr uint64_t kLine = 4;

    uint64_t mask;
    alignas(64) StackEntry entries[];

    StackEntry* line(const PathHash& path, uint64_t number) {
        return &entries[((path.high >> 20) + number) * kLine & mask];
    }
};

struct StackTable {
    std::atomic<StackSlots*> slots;
    std::atomic<uint32_t> count;  // entries, about
    uint32_t next_id;             // under the session's lock, as all below: ids not yet given out
    uint32_t chunks;

    // Where a look for this path begins; nullptr: there is no table yet. May be used as long as the
    // process is the same.
    const StackEntry* first_line(PathHash path) const {
        StackSlots* known = slots.load(std::memory_order_acquire);
        return known ? known->line(path, 0) : nullptr;
    }
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

// The id in this line; 0: it is not there. Without a branch on what the line holds, so that the
// processor need not wait for it, far away as it is.
inline uint32_t find_in_line(const StackEntry* line, PathHash path) {
    uint32_t id = 0;
#pragma GCC unroll 4
    for (uint64_t i = 0; i < StackSlots::kLine; i++) {
        const uint64_t word = line[i].id_and_low.load(std::memory_order_acquire);
        const uint64_t high = line[i].high.load(std::memory_order_relaxed);
        const uint64_t differs = (word >> 32 ^ path.low) | (high ^ path.high);
        id = differs == 0 ? static_cast<uint32_t>(word) : id;
    }
    return id > StackEntry::kFilling ? id : 0;
}

// The id of the stack with this path; 0: not known. Lock-free.
uint32_t find_stack_anywhere(PathHash path);

// The same, where first_line() is known.
inline uint32_t find_stack(const StackEntry* first_line, PathHash path) {
    const uint32_t id = first_line ? find_in_line(first_line, path) : 0;
    return id != 0 ? id : find_stack_anywhere(path);
}

// Defines it and makes it known by `path`. Its id; 0 where it can't be kept (the loss is counted).
uint32_t define_stack(StackLog& log, const NewStack& stack, const PathHash& path);

}  // namespace lastref

#endif  // LASTREF_SHIM_STACK_TABLE_H
