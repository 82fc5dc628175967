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
    const auto [entry, is_new] =
        node_indexes_.try_emplace({parent, frame}, static_cast<uint32_t>(nodes_.size()));
    if (is_new) nodes_.push_back({parent, frame});
    return entry->second;
}

uint32_t FrameTree::node_of(const std::vector<uint32_t>& innermost_first) {
    uint32_t node = kNoUsageNode;
    for (auto frame = innermost_first.rbegin(); frame != innermost_first.rend(); ++frame)
        node = node_index(node, *frame);
    return node;
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

uint32_t FrameTree::node_of(uint32_t stack, StackNames& names) {
    std::vector<uint32_t> frames;
    names.visit(stack, [&](const Frame& frame) {
        const auto [seen, is_new] = seen_.try_emplace(&frame, 0);
        if (is_new) seen->second = frame_index(frame);
        frames.push_back(seen->second);
        return true;
    });
    return node_of(frames);
}

uint32_t FrameTree::node_of(const Stack& stack) {
    std::vector<uint32_t> frames;
    for (const Frame& frame : stack) frames.push_back(frame_index(frame));
    return node_of(frames);
}

}  // namespace lastref
