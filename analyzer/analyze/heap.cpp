#include "analyze/heap.h"

namespace lastref {

std::optional<uint64_t> Heap::realloc_begins(const Event& event) {
    const HeapBlock* const block = table_.find(event.address);
    if (block == nullptr || block->state != HeapBlock::kLive) {
        reallocs_.erase(event.log);
        free_of_no_block(event, block);
        return std::nullopt;
    }
    reallocs_[event.log] = *block;
    return end(event);
}

void Heap::realloc_failed(const Event& event) {
    const auto pending = reallocs_.find(event.log);
    if (pending == reallocs_.end()) return;
    const HeapBlock before = pending->second;
    reallocs_.erase(pending);
    if (event.other != 0 && event.other != before.address) return;
    HeapBlock& block = table_.place(before.address);
    if (block.state == HeapBlock::kLive) return;
    block = before;
    --totals_.frees;
    totals_.live_bytes += before.size;
    if (follower_ != nullptr) follower_->goes_on(life_of(before));
}

void Heap::replace(HeapBlock& block) {
    if (freed_twice_.erase(block.address) == 0) ++gaps_.unseen_frees;
    ++totals_.frees;
    totals_.live_bytes -= block.size;
    if (follower_ != nullptr) follower_->ends(life_of(block));
}

void Heap::free_of_no_block(const Event& event, const HeapBlock* ended) {
    if (ended == nullptr) {
        ++gaps_.unseen_allocations;
        return;
    }
    if (!judge_double_frees_) return;
    freed_twice_.insert(event.address);
    Misuse misuse;
    misuse.kind = Kind::kDoubleFree;
    misuse.created_stack = ended->stack;
    misuse.stack = event.stack;
    misuse.address = ended->address;
    misuse.size = ended->size;
    misuses_.add(misuse, [&] {
        HistoryRecord made;
        made.ticks = ended->begin_ticks;
        made.stack = ended->stack;
        made.thread = ended->thread;
        made.op = ended->op;
        HistoryRecord freed;
        freed.ticks = ended->end_ticks;
        freed.stack = ended->end_stack;
        freed.thread = ended->end_thread;
        freed.op = static_cast<uint8_t>(trace::Op::kFree);
        HistoryRecord again = make_record(event, 0);
        again.op = static_cast<uint8_t>(trace::Op::kFree);
        return std::vector<HistoryRecord>{made, freed, again};
    });
}

}  // namespace lastref
