#include "stack_table.h"

#include "session.h"

namespace lastref {
namespace {

constexpr uint64_t kFirstSlots = 1u << 13;
constexpr uint32_t kFirstChunk = 32u << 10;
constexpr uint32_t kLaterChunk = 256u << 10;

uint64_t key_of(uint64_t pc, uint32_t epoch) {
    // 47 bits of user address and the exact-pc mark in bit 47 leave 16 for the epoch.
    const uint64_t exact = (pc & trace::kExactPc) ? uint64_t{1} << 47 : 0;
    return (pc & ((uint64_t{1} << 47) - 1)) | exact | static_cast<uint64_t>(epoch) << 48;
}

uint64_t hash_of(uint64_t key, uint32_t parent) {
    uint64_t h = (key ^ (static_cast<uint64_t>(parent) << 17)) * 0x9e3779b97f4a7c15ull;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ull;
    return h ^ (h >> 32);
}

uint32_t find(const StackSlots* slots, uint64_t key, uint32_t parent) {
    if (!slots) return 0;
    for (uint64_t i = hash_of(key, parent);; i++) {
        const StackEntry& entry = slots->entries[i & slots->mask];
        const uint32_t id = entry.id.load(std::memory_order_acquire);
        if (id == 0) return 0;
        if (entry.key == key && entry.parent == parent) return id;
    }
}

void place(StackSlots* slots, uint64_t key, uint32_t parent, uint32_t id) {
    for (uint64_t i = hash_of(key, parent);; i++) {
        StackEntry& entry = slots->entries[i & slots->mask];
        if (entry.id.load(std::memory_order_relaxed) != 0) continue;
        entry.key = key;
        entry.parent = parent;
        entry.id.store(id, std::memory_order_release);
        return;
    }
}

// Under the lock: a table less than two thirds full, or nullptr.
StackSlots* slots_with_room(StackTable& table) {
    StackSlots* old = table.slots.load(std::memory_order_relaxed);
    if (old && (table.count + 1) * 3ull < (old->mask + 1) * 2) return old;
    const uint64_t size = old ? (old->mask + 1) * 2 : kFirstSlots;
    auto* bigger =
        static_cast<StackSlots*>(session_memory(sizeof(StackSlots) + size * sizeof(StackEntry)));
    if (!bigger) return nullptr;
    bigger->mask = size - 1;
    for (uint64_t i = 0; old && i <= old->mask; i++) {
        const StackEntry& entry = old->entries[i];
        const uint32_t id = entry.id.load(std::memory_order_relaxed);
        if (id != 0) place(bigger, entry.key, entry.parent, id);
    }
    table.slots.store(bigger, std::memory_order_release);
    return bigger;  // the old one stays: somebody may be reading it
}

// Under the lock: writes the node to the file. Its id, or 0.
uint32_t write_node(StackTable& table, uint32_t parent, uint32_t epoch, uint64_t pc) {
    constexpr uint32_t header_size = sizeof(trace::ChunkHeader);
    constexpr uint32_t node_size = sizeof(trace::StackNode);
    if (!table.chunk || header_size + table.chunk->committed + node_size > table.chunk->size) {
        if (table.chunk) finish_chunk(process.file, table.extent);
        table.chunk = nullptr;
        trace::Loss refusal;
        const Chunk taken =
            take_chunk(process.file, table.sequence == 0 ? kFirstChunk : kLaterChunk, refusal);
        if (!taken.header) {
            count_loss(refusal);
            return 0;
        }
        taken.header->kind = trace::ChunkKind::kStacks;
        taken.header->sequence = table.sequence++;
        taken.header->base_address = trace::kFirstStackNode + table.count;
        std::atomic_ref(taken.header->magic)
            .store(trace::kChunkMagic, std::memory_order_release);
        table.chunk = taken.header;
        table.extent = taken.extent;
    }
    auto* nodes = reinterpret_cast<trace::StackNode*>(table.chunk + 1);
    trace::StackNode& node = nodes[table.chunk->committed / node_size];
    node.parent = parent;
    node.epoch = epoch;
    std::atomic_ref(node.pc).store(pc, std::memory_order_release);
    table.chunk->committed += node_size;
    return trace::kFirstStackNode + table.count++;
}

__attribute__((noinline)) uint32_t add_child(uint32_t parent, uint64_t pc, uint32_t epoch) {
    Session& session = *process.session;
    SlowLockHolder lock(session.lock, may_call_kernel());
    if (!lock.owned()) {
        count_loss(trace::Loss::kContended);
        return 0;
    }
    const uint64_t key = key_of(pc, epoch);
    StackSlots* slots = slots_with_room(session.stacks);
    if (!slots) {
        count_loss(trace::Loss::kNoMemory);
        return 0;
    }
    const uint32_t known = find(slots, key, parent);
    if (known != 0) return known;
    const uint32_t id = write_node(session.stacks, parent, epoch, pc);
    if (id != 0) place(slots, key, parent, id);
    return id;
}

}  // namespace

uint32_t stack_child(uint32_t parent, uint64_t pc) {
    const uint32_t epoch = module_epoch();
    const StackSlots* slots = process.session->stacks.slots.load(std::memory_order_acquire);
    const uint32_t id = find(slots, key_of(pc, epoch), parent);
    return id != 0 ? id : add_child(parent, pc, epoch);
}

}  // namespace lastref
