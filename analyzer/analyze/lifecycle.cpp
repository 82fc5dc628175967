#include "analyze/lifecycle.h"

#include <algorithm>

namespace lastref {

using trace::Op;

void Lifecycle::handle_rare(const Event& event) {
    switch (event.op) {
        case Op::kReallocBegin:
            if (const auto size = heap_.realloc_begins(event)) {
                buffers_.memory_moves(event.address, *size, event.log);
            }
            break;
        case Op::kRealloc:
            realloc_done(event);
            break;
        case Op::kFailed:
            allocation_failed(event);
            break;
        case Op::kMmap:
            mappings_.map(event);
            buffers_.memory_begins(event.address, event.size);
            break;
        case Op::kMunmap:
            mappings_.unmap(event);
            buffers_.memory_ends(event.address, event.size, event);
            break;
        case Op::kMunmapFailed:
            mappings_.unmap_failed(event.log);
            break;
        case Op::kMremapBegin:
            mappings_.unmap(event);
            buffers_.memory_moves(event.address, event.size, event.log);
            break;
        case Op::kMremap:
            remap_done(event);
            break;
        case Op::kCreate:
        case Op::kRetain:
        case Op::kRelease:
        case Op::kTouch:
        case Op::kCount:
        case Op::kMove:
        case Op::kDestroy:
        case Op::kCounted:
            buffers_.handle(event);
            break;
        case Op::kExit:
            saw_exit_ = true;
            at_rest_.insert(event.thread);
            break;
        case Op::kThreadInfo:
            if (event.value == trace::kThreadEnded) at_rest_.insert(event.detail);
            break;
        default:
            break;
    }
}

void Lifecycle::realloc_done(const Event& event) {
    if (event.address == 0) {
        heap_.realloc_failed(event);
        buffers_.memory_moved(event.other, event.other, UINT64_MAX, event.log);
        return;
    }
    heap_.begin(event);
    buffers_.memory_begins(event.address, event.size);
    buffers_.memory_moved(event.other, event.address, event.size, event.log);
}

void Lifecycle::remap_done(const Event& event) {
    if (event.address == 0) {
        mappings_.unmap_failed(event.log);
        buffers_.memory_moved(event.other, event.other, UINT64_MAX, event.log);
        return;
    }
    mappings_.remap(event);
    buffers_.memory_begins(event.address, event.size);
    buffers_.memory_moved(event.other, event.address, event.size, event.log);
}

void Lifecycle::allocation_failed(const Event& event) {
    Misuse misuse;
    misuse.kind = Kind::kAllocationFailure;
    misuse.created_stack = event.stack;
    misuse.stack = event.stack;
    misuse.detail = event.detail;
    misuse.size = event.size;
    misuse.used = heap_.totals().live_bytes + mappings_.totals().live_bytes;
    misuses_.add(misuse, [&event] { return std::vector<HistoryRecord>{make_record(event, 0)}; });
}

}  // namespace lastref
