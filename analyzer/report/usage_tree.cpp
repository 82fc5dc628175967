#include "report/usage_tree.h"

#include <vector>

namespace lastref {
namespace {

std::string key_of(const Frame& frame) {
    if (!frame.function.empty()) return frame.function + '\n' + frame.module;
    return frame.module + '+' + std::to_string(frame.offset);
}

void add(UsageTree& node, const UsageSite& site) {
    node.bytes[0] += site.live.bytes;
    node.bytes[1] += site.peak.bytes;
    node.bytes[2] += site.allocated.bytes;
}

void prune(UsageTree& node, const std::array<double, 3>& least) {
    std::erase_if(node.inner, [&](const auto& entry) {
        const UsageTree& inner = *entry.second;
        for (size_t i = 0; i < least.size(); ++i) {
            if (inner.bytes[i] > 0 && inner.bytes[i] >= least[i]) return false;
        }
        return true;
    });
    for (auto& [key, inner] : node.inner) prune(*inner, least);
}

}  // namespace

UsageTree usage_tree(const UsageReport& usage, uint32_t type, double smallest) {
    UsageTree root;
    std::vector<uint32_t> frames;  // innermost first
    for (const UsageSite& site : usage.sites) {
        if (site.type != type) continue;
        frames.clear();
        for (uint32_t at = site.node; at != kNoUsageNode; at = usage.nodes[at].parent) {
            frames.push_back(usage.nodes[at].frame);
        }
        UsageTree* node = &root;
        add(*node, site);
        for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
            std::unique_ptr<UsageTree>& inner = node->inner[key_of(usage.frames[*frame])];
            if (inner == nullptr) {
                inner = std::make_unique<UsageTree>();
                inner->frame = *frame;
            }
            node = inner.get();
            add(*node, site);
        }
    }
    prune(root, {root.bytes[0] * smallest, root.bytes[1] * smallest, root.bytes[2] * smallest});
    return root;
}

}  // namespace lastref
