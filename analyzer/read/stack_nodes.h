// The stacks of a trace, by id: a tree of frames made from the definitions in its stack chunks
// (STACKS in trace_format.h), all read when the trace is opened.
//
// Definitions are not trusted: one that is impossible is damage, and with it the rest of its chunk;
// one whose base is missing, or leads round in a circle, begins as a stack that was lost. Where
// several ids are the same stack, one of them stands for all.
#ifndef LASTREF_ANALYZER_READ_STACK_NODES_H
#define LASTREF_ANALYZER_READ_STACK_NODES_H

#include <cstdint>
#include <span>
#include <vector>

#include "read/byte_source.h"
#include "read/chunk_index.h"
#include "read/damage.h"
#include "read/huge_pages.h"
#include "trace_format.h"

namespace lastref {

struct StackNode {
    uint32_t parent;  // the next node outwards: its index plus kFirstStack, or a StackEnd
    uint32_t epoch;
    uint64_t pc;  // with trace::kExactPc where it is exact
};

class StackNodes {
public:
    // Reads all `chunks`, which are in the order of their ids.
    StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks, DamageList& damage);

    std::span<const StackNode> nodes() const { return nodes_; }
    // Of one of nodes().
    uint32_t index_of(const StackNode& node) const {
        return static_cast<uint32_t>(&node - nodes_.data());
    }

    // For every id of the trace the id that stands for its stack; 0 where there is no such stack.
    std::span<const uint32_t> ids() const { return ids_; }

    // Calls `visit(const StackNode&)` from the innermost frame of stack `id` outwards until it
    // returns false. Returns why the stack ends, kStackLost where the trace does not hold it.
    template <typename Visit>
    trace::StackEnd walk(uint32_t id, Visit&& visit) const {
        uint32_t at = id < leaves_.size() ? leaves_[id] : uint32_t{trace::kStackLost};
        while (at >= trace::kFirstStack) {
            const StackNode& node = nodes_[at - trace::kFirstStack];
            if (!visit(node)) return trace::kStackComplete;
            at = node.parent;
        }
        return static_cast<trace::StackEnd>(at);
    }

private:
    friend class StackTreeBuilder;
    template <typename T>
    using Array = std::vector<T, HugePages<T>>;

    Array<StackNode> nodes_;  // parents before children
    Array<uint32_t> leaves_;  // by stack id: as StackNode::parent
    Array<uint32_t> ids_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_STACK_NODES_H
