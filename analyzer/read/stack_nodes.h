// The stack nodes of a trace, by id, read chunk by chunk when first asked for.
//
// A node whose parent is not an older node is damage and counts as a stack's end, so a walk
// always terminates: ids strictly fall from parent to parent.
#ifndef LASTREF_ANALYZER_READ_STACK_NODES_H
#define LASTREF_ANALYZER_READ_STACK_NODES_H

#include <cstdint>
#include <memory>
#include <vector>

#include "read/byte_source.h"
#include "read/chunk_index.h"
#include "trace_format.h"

namespace lastref {

class StackNodes {
public:
    // `bytes` and `chunks` must outlive this.
    StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks);

    // The node `id`; pc 0 where the trace does not hold it.
    trace::StackNode node(uint32_t id);

    // One more than the highest id that the trace can hold: what an event's stack must be below.
    uint32_t id_end() const { return id_end_; }

    // Calls `visit(const StackNode&)` from the innermost node outwards until it returns false.
    // Returns why the stack ends, kStackLost where nodes are missing.
    template <typename Visit>
    trace::StackEnd walk(uint32_t id, Visit&& visit) {
        while (id >= trace::kFirstStackNode) {
            const trace::StackNode found = node(id);
            if (found.pc == 0) return trace::kStackLost;
            if (!visit(found)) return trace::kStackComplete;
            id = found.parent;
        }
        return id <= trace::kStackLost ? static_cast<trace::StackEnd>(id) : trace::kStackLost;
    }

private:
    const ByteSource& bytes_;
    const std::vector<Chunk>& chunks_;
    std::vector<std::vector<trace::StackNode>> loaded_;  // parallel to chunks_
    size_t last_ = 0;                                    // chunk of the last look-up
    uint32_t id_end_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_STACK_NODES_H
