#include "analyze/frame_tree.h"

namespace lastref {

uint32_t FrameTree::frame_index(const Frame& frame) {
    const std::string& module = frame.build_id.empty() ? frame.module : frame.build_id;
    const auto [entry, is_new] = frame_indexes_.try_emplace(
        {module, frame.offset, frame.inlined, frame.function, frame.line},
        static_cast<uint32_t>(frames_.size()));
    if (is_new) frames_.push_back(frame);
    return entry->second;
}

uint32_t FrameTree::node_index(uint32_t parent, uint32_t frame) {
    const auto [entry, is_new] = node_indexes_.try_emplace(uint64_t{parent} << 32 | frame,
                                                           static_cast<uint32_t>(nodes_.size()));
    if (is_new) nodes_.push_back({parent, frame});
    return entry->second;
}

std::vector<uint32_t> FrameTree::add(const std::vector<Frame>& frames,
                                     const std::vector<UsageNode>& nodes) {
    std::vector<uint32_t> frames_here, nodes_here;
    for (const Frame& frame : frames) frames_here.push_back(frame_index(frame));
    for (const UsageNode& node : nodes) {
        const bool is_root = node.parent == kNoUsageNode;
        nodes_here.push_back(
            node_index(is_root ? kNoUsageNode : nodes_here[node.parent], frames_here[node.frame]));
    }
    return nodes_here;
}

// Most of a stack is what others have outwards of a frame: there the walk ends.
uint32_t FrameTree::node_of(uint32_t stack, StackNames& names) {
    uint32_t node = kNoUsageNode;
    std::vector<uint32_t> frames;                        // innermost first
    std::vector<std::pair<size_t, uint32_t>> new_nodes;  // the frames before it, and which
    names.visit(
        stack,
        [&](const Frame& frame) {
            const auto [seen, is_new] = seen_.try_emplace(&frame, 0);
            if (is_new) seen->second = frame_index(frame);
            frames.push_back(seen->second);
            return true;
        },
        [&](uint32_t trace_node) {
            const auto known = known_.find(trace_node);
            if (known == known_.end()) {
                new_nodes.emplace_back(frames.size(), trace_node);
                return true;
            }
            node = known->second;
            return false;
        });
    for (size_t left = frames.size();; --left) {
        for (; !new_nodes.empty() && new_nodes.back().first == left; new_nodes.pop_back())
            known_.emplace(new_nodes.back().second, node);
        if (left == 0) return node;
        node = node_index(node, frames[left - 1]);
    }
}

uint32_t FrameTree::node_of(const Stack& stack) {
    uint32_t node = kNoUsageNode;
    for (size_t left = stack.size(); left > 0; --left)
        node = node_index(node, frame_index(stack[left - 1]));
    return node;
}

}  // namespace lastref
