// Stacks of several traces as one tree of frames: equal where their frames are the same place of
// the same module (by build-id and offset), wherever it was loaded.
#ifndef LASTREF_ANALYZER_ANALYZE_FRAME_TREE_H
#define LASTREF_ANALYZER_ANALYZE_FRAME_TREE_H

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/stack_names.h"
#include "analyze/usage_report.h"

namespace lastref {

class FrameTree {
public:
    // Both grow as stacks are asked for, and must outlive this.
    FrameTree(std::vector<Frame>& frames, std::vector<UsageNode>& nodes)
        : frames_(frames), nodes_(nodes) {}

    // To be called before the first stack of each trace.
    void next_trace() {
        seen_.clear();
        known_.clear();
    }

    // The innermost frame; kNoUsageNode where the stack has none.
    uint32_t node_of(uint32_t stack, StackNames& names);
    uint32_t node_of(const Stack& stack);

    // Adds another tree, parents before children. Returns the index here for each index there.
    std::vector<uint32_t> add(const std::vector<Frame>& frames,
                              const std::vector<UsageNode>& nodes);

private:
    using FrameKey = std::tuple<std::string, uint64_t, bool, std::string, uint32_t>;

    struct NodeHash {  // Fibonacci hashing (Knuth, volume 3, 6.4): neighbours end up far apart
        size_t operator()(uint64_t key) const { return (key * 0x9e3779b97f4a7c15u) >> 20; }
    };

    uint32_t frame_index(const Frame& frame);
    uint32_t node_index(uint32_t parent, uint32_t frame);
    std::vector<Frame>& frames_;
    std::vector<UsageNode>& nodes_;
    std::map<FrameKey, uint32_t> frame_indexes_;
    std::unordered_map<uint64_t, uint32_t, NodeHash> node_indexes_;  // by parent and frame
    // Of the trace that is being read: another one's frames may have had the same addresses.
    std::unordered_map<const Frame*, uint32_t> seen_;
    std::unordered_map<uint32_t, uint32_t> known_;  // by its stack node: the node here
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FRAME_TREE_H
