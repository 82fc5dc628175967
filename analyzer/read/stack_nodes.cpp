#include "read/stack_nodes.h"

#include <algorithm>

namespace lastref {

using trace::StackNode;

namespace {

uint64_t nodes_in(const Chunk& chunk) {
    return chunk.committed / sizeof(StackNode);
}

bool holds(const Chunk& chunk, uint32_t id) {
    return id >= chunk.base_address && id - chunk.base_address < nodes_in(chunk);
}

}  // namespace

StackNodes::StackNodes(const ByteSource& bytes, const std::vector<Chunk>& chunks)
    : bytes_(bytes), chunks_(chunks), loaded_(chunks.size()) {
    if (!chunks_.empty()) {
        id_end_ = static_cast<uint32_t>(chunks_.back().base_address + nodes_in(chunks_.back()));
    }
}

StackNode StackNodes::node(uint32_t id) {
    if (last_ >= chunks_.size() || !holds(chunks_[last_], id)) {
        const auto after = std::upper_bound(
            chunks_.begin(), chunks_.end(), id,
            [](uint32_t wanted, const Chunk& chunk) { return wanted < chunk.base_address; });
        if (after == chunks_.begin()) return {};
        const auto index = static_cast<size_t>(after - chunks_.begin()) - 1;
        if (!holds(chunks_[index], id)) return {};
        last_ = index;
    }
    const Chunk& chunk = chunks_[last_];
    std::vector<StackNode>& nodes = loaded_[last_];
    if (nodes.empty()) {
        nodes.resize(nodes_in(chunk));
        const size_t got =
            bytes_.read(chunk.offset, nodes.data(), nodes.size() * sizeof(StackNode));
        // What could not be read is not there.
        std::fill(nodes.begin() + static_cast<std::ptrdiff_t>(got / sizeof(StackNode)), nodes.end(),
                  StackNode{});
    }
    StackNode found = nodes[id - chunk.base_address];
    if (found.parent >= id) found.parent = trace::kStackLost;
    return found;
}

}  // namespace lastref
