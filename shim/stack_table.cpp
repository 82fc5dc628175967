#include "stack_table.h"

#include "session.h"

namespace lastref {
namespace {

constexpr uint64_t kFirstSlots = 1u << 13;
constexpr uint32_t kFirstChunk = 32u << 10;
constexpr uint32_t kLaterChunk = 256u << 10;

uint64_t index_of(const PathHash& path) {
    return path.high >> 20;
}

uint32_t find(const StackSlots* slots, const PathHash& path) {
    for (uint64_t i = index_of(path);; i++) {
        const StackEntry& entry = slots->entries[i & slots->mask];
        const uint32_t id = entry.id.load(std::memory_order_acquire);
        if (id == 0 || (entry.high == path.high && entry.low == path.low)) return id;
    }
}

void place(StackSlots* slots, const PathHash& path, uint32_t id) {
    for (uint64_t i = index_of(path);; i++) {
        StackEntry& entry = slots->entries[i & slots->mask];
        if (entry.id.load(std::memory_order_relaxed) != 0) continue;
        entry.high = path.high;
        entry.low = path.low;
        entry.id.store(id, std::memory_order_release);
        return;
    }
}

// Under the lock: a table at most half full, or nullptr.
StackSlots* slots_with_room(StackTable& table) {
    StackSlots* old = table.slots.load(std::memory_order_relaxed);
    if (old && (table.count + 1) * 2ull <= old->mask + 1) return old;
    const uint64_t size = old ? (old->mask + 1) * 2 : kFirstSlots;
    auto* bigger =
        static_cast<StackSlots*>(session_memory(sizeof(StackSlots) + size * sizeof(StackEntry)));
    if (!bigger) return nullptr;
    bigger->mask = size - 1;
    for (uint64_t i = 0; old && i <= old->mask; i++) {
        const StackEntry& entry = old->entries[i];
        const uint32_t id = entry.id.load(std::memory_order_relaxed);
        if (id != 0) place(bigger, {entry.high, entry.low}, id);
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
        std::atomic_ref(taken.header->magic).store(trace::kChunkMagic, std::memory_order_release);
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

const StackSlots* current_slots() {
    return process.session->stacks.slots.load(std::memory_order_acquire);
}

}  // namespace

void prefetch_stack(const PathHash& path) {
    if (const StackSlots* slots = current_slots()) {
        __builtin_prefetch(&slots->entries[index_of(path) & slots->mask]);
    }
}

uint32_t find_stack(const PathHash& path) {
    const StackSlots* slots = current_slots();
    return slots ? find(slots, path) : 0;
}

NodeAdder::NodeAdder() : lock_(process.session->lock, may_call_kernel()) {}

uint32_t NodeAdder::add(const PathHash& path, uint32_t parent, uint64_t pc) {
    // A fork on top of the walk: this process has no recording yet.
    if (process.session->state.load(std::memory_order_acquire) == SessionState::kNone) return 0;
    if (!lock_.owned()) {
        count_loss(trace::Loss::kContended);
        return 0;
    }
    StackTable& table = process.session->stacks;
    StackSlots* slots = slots_with_room(table);
    if (!slots) {
        count_loss(trace::Loss::kNoMemory);
        return 0;
    }
    // Another thread may have added it since it was looked up.
    if (parent != newest_ || newest_ == 0) {
        if (const uint32_t known = find(slots, path)) return known;
    }
    newest_ = write_node(table, parent, module_epoch(), pc);
    if (newest_ != 0) place(slots, path, newest_);
    return newest_;
}

}  // namespace lastref
