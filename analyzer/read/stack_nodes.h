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

// What stands for the stack that a record's number means. Numbers are given out in runs, and may be
// anything in a damaged trace: they are kept in pages, of which only those exist that a definition
// lies in. The numbers that stand for stacks are the places in these pages, which are the same
// numbers unless a whole page of them is not used.
class StackIds {
public:
    static constexpr uint32_t kPage = 1024;

    // 0 where there is no such stack.
    uint32_t of(uint64_t number) const {
        const uint64_t page = number / kPage;
        return page < pages_.size() ? ids_[pages_[page] * size_t{kPage} + number % kPage] : 0;
    }

private:
    friend class StackTreeBuilder;
    std::vector<uint32_t> pages_;  // by number / kPage: the page, the last one where there is none
    std::vector<uint32_t, HugePages<uint32_t>> ids_;  // by place; the last page is all 0
};

inline const StackIds kNoStacks;

class StackNodes {
public:
    // Reads all `chunks`, which are in the order of their ids.
    StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks, DamageList& damage);

    std::span<const StackNode> nodes() const { return nodes_; }
    // Of one of nodes().
    uint32_t index_of(const StackNode& node) const {
        return static_cast<uint32_t>(&node - nodes_.data());
    }

    const StackIds& ids() const { return ids_; }

    // Calls `visit(const StackNode&)` from the innermost frame of stack `id`, one of ids(),
    // outwards until it returns false. Returns why the stack ends, kStackLost where the trace does
    // not hold it.
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
    Array<uint32_t> leaves_;  // by place in ids_: as StackNode::parent
    StackIds ids_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_STACK_NODES_H
