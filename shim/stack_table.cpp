#include "stack_table.h"

#include "coding.h"
#include "session.h"

namespace lastref {
namespace {

using trace::Loss;

constexpr uint64_t kFirstSlots = 1u << 12;
constexpr uint64_t kLines = 8;  // looked at for one path
constexpr uint32_t kFirstChunk = 4u << 10;
constexpr uint32_t kLaterChunk = 32u << 10;
constexpr uint32_t kBytesPerId = 16;  // of a chunk; an average definition takes some 30

// Whether there was room, or somebody else has just entered the same path.
bool enter(StackSlots* slots, const PathHash& path, uint32_t id) {
    for (uint64_t i = 0; i < kLines * StackSlots::kLine; i++) {
        StackEntry& entry = slots->line(path, i / StackSlots::kLine)[i % StackSlots::kLine];
        uint64_t free = 0;
        if (entry.id_and_low.load(std::memory_order_relaxed) != 0 ||
            !entry.id_and_low.compare_exchange_strong(free, StackEntry::kFilling,
                                                      std::memory_order_relaxed)) {
            continue;
        }
        entry.high.store(path.high, std::memory_order_relaxed);
        entry.id_and_low.store(id | uint64_t{path.low} << 32, std::memory_order_release);
        return true;
    }
    return false;
}

// As full as probes stay short: the fuller, the fewer cache lines.
bool is_full(const StackTable& table, const StackSlots& slots) {
    return table.count.load(std::memory_order_relaxed) * 4ull > slots.mask * 3;
}

// Twice the size, or the first table; what was in it stays known. The old one stays: somebody may
// be reading it.
void enlarge(StackTable& table) {
    SlowLockHolder lock(process.session->lock, may_call_kernel());
    StackSlots* old = table.slots.load(std::memory_order_relaxed);
    if (!lock.owned() || (old && !is_full(table, *old))) {
        return;
    }
    const uint64_t size = old ? (old->mask + 1) * 2 : kFirstSlots;
    auto* bigger =
        static_cast<StackSlots*>(session_memory(sizeof(StackSlots) + size * sizeof(StackEntry)));
    if (!bigger) return;
    bigger->mask = size - 1;
    uint32_t count = 0;
    for (uint64_t i = 0; old && i <= old->mask; i++) {
        const uint64_t word = old->entries[i].id_and_low.load(std::memory_order_acquire);
        const auto id = static_cast<uint32_t>(word);
        if (id < trace::kFirstStack) continue;
        const PathHash path{old->entries[i].high.load(std::memory_order_relaxed),
                            static_cast<uint32_t>(word >> 32)};
        count += enter(bigger, path, id);
    }
    table.count.store(count, std::memory_order_relaxed);
    table.slots.store(bigger, std::memory_order_release);
}

void make_known(StackTable& table, const PathHash& path, uint32_t id) {
    StackSlots* slots = table.slots.load(std::memory_order_acquire);
    if (!slots || is_full(table, *slots)) {
        enlarge(table);
        slots = table.slots.load(std::memory_order_acquire);
    }
    if (slots && enter(slots, path, id)) table.count.fetch_add(1, std::memory_order_relaxed);
}

// A new chunk for the log, with room for a definition of `bytes`.
bool make_room(StackLog& log, uint32_t bytes) {
    constexpr uint32_t kUnit = trace::kChunkUnit, kHeader = sizeof(trace::ChunkHeader);
    StackTable& table = process.session->stacks;
    SlowLockHolder lock(process.session->lock, may_call_kernel());
    if (!lock.owned()) {
        count_loss(Loss::kContended);
        return false;
    }
    if (log.chunk) finish_chunk(process.file, log.extent);
    uint32_t size = log.chunk ? kLaterChunk : kFirstChunk;
    log = StackLog{};
    if (size < bytes + kHeader) size = (bytes + kHeader + kUnit - 1) / kUnit * kUnit;
    Loss refusal;
    const Chunk taken = take_chunk(process.file, size, refusal);
    if (!taken.header) {
        count_loss(refusal);
        return false;
    }
    if (table.next_id == 0) table.next_id = trace::kFirstStack;
    taken.header->kind = trace::ChunkKind::kStacks;
    taken.header->sequence = table.chunks++;
    taken.header->base_address = table.next_id;
    std::atomic_ref(taken.header->magic).store(trace::kChunkMagic, std::memory_order_release);
    log.chunk = taken.header;
    log.extent = taken.extent;
    log.cursor = reinterpret_cast<uint8_t*>(taken.header + 1);
    log.limit = log.cursor + (size - kHeader);
    log.next_id = table.next_id;
    log.id_end = table.next_id += size / kBytesPerId;
    return true;
}

// The definition's bytes and its commitment; 0 where a signal handler's definition took the log
// over meanwhile.
uint32_t write_definition(StackLog& log, const NewStack& stack) {
    uint8_t* const begin = log.cursor;
    uint8_t* p = begin;
    const uint32_t id = log.next_id;
    if (stack.epoch != log.epoch) {
        *p++ = 0;
        p = coding::put_varint(p, stack.epoch);
        *p++ = 0;
    }
    p = coding::put_svarint(p, static_cast<int64_t>(stack.base) - static_cast<int64_t>(id));
    p = coding::put_varint(p, stack.drop);
    p = coding::put_varint(p, stack.count);
    uint64_t word = log.last_word;
    const auto* frame =
        reinterpret_cast<const uint8_t*>(stack.frames) + uint64_t{stack.stride} * (stack.count - 1);
    for (uint32_t i = 0; i < stack.count; i++, frame -= stack.stride) {
        const uint64_t pc = *reinterpret_cast<const uint64_t*>(frame);
        const uint64_t next = pc << 1 | pc >> 63;  // kExactPc becomes the lowest bit
        p = coding::put_svarint(p, static_cast<int64_t>(next - word));
        word = next;
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (log.cursor != begin) return 0;
    log.cursor = p;
    log.next_id = id + 1;
    log.last_word = word;
    log.epoch = stack.epoch;
    std::atomic_ref(log.chunk->committed)
        .store(static_cast<uint32_t>(p - reinterpret_cast<uint8_t*>(log.chunk + 1)),
               std::memory_order_release);
    return id;
}

}  // namespace

uint32_t find_stack_anywhere(PathHash path) {
    StackSlots* slots = process.session->stacks.slots.load(std::memory_order_acquire);
    if (!slots) return 0;
    for (uint64_t number = 0; number < kLines; number++) {
        const StackEntry* line = slots->line(path, number);
        const uint32_t id = find_in_line(line, path);
        if (id != 0) [[likely]]
            return id;
        if (line[StackSlots::kLine - 1].id_and_low.load(std::memory_order_relaxed) == 0) break;
    }
    return 0;
}

uint32_t define_stack(StackLog& log, const NewStack& stack, const PathHash& path) {
    // A fork on top of the walk: this process has no recording yet.
    if (process.session->state.load(std::memory_order_acquire) == SessionState::kNone) return 0;
    constexpr uint32_t kFrame = 7,
                       kRest = 30;  // bytes at most: zigzag of 49 bits; the other fields
    const uint32_t bytes = kRest + stack.count * kFrame;
    if (log.next_id == log.id_end || log.cursor + bytes > log.limit) {
        if (!make_room(log, bytes)) return 0;
    }
    const uint32_t id = write_definition(log, stack);
    if (id == 0) {
        count_loss(Loss::kNested);
        return 0;
    }
    make_known(process.session->stacks, path, id);
    return id;
}

}  // namespace lastref
