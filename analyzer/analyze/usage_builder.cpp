#include "analyze/usage_builder.h"

#include <algorithm>
#include <vector>

namespace lastref {
namespace {

template <typename Map>
auto sorted_keys(const Map& map) {
    std::vector<uint32_t> keys;
    keys.reserve(map.size());
    for (const auto& entry : map) keys.push_back(entry.first);
    std::sort(keys.begin(), keys.end());
    return keys;
}

void add_amount(UsageAmount& to, const UsageAmount& more) {
    to.bytes += more.bytes;
    to.count += more.count;
}

}  // namespace

uint32_t UsageBuilder::type_index(const std::string& name) {
    const auto [entry, is_new] =
        types_.try_emplace(name, static_cast<uint32_t>(report_.types.size()));
    if (is_new) report_.types.push_back(name);
    return entry->second;
}

uint32_t UsageBuilder::frame_index(const Frame& frame) {
    const auto [seen, is_new] = seen_.try_emplace(&frame, 0);
    if (!is_new) return seen->second;
    const std::string& module = frame.build_id.empty() ? frame.module : frame.build_id;
    const auto [entry, is_new_frame] =
        frames_.try_emplace({module, frame.offset, frame.inlined, frame.function, frame.line},
                            static_cast<uint32_t>(report_.frames.size()));
    if (is_new_frame) report_.frames.push_back(frame);
    return seen->second = entry->second;
}

uint32_t UsageBuilder::node_of(uint32_t stack, StackNames& names) {
    std::vector<uint32_t> frames;  // innermost first
    names.visit(stack, [&](const Frame& frame) {
        frames.push_back(frame_index(frame));
        return true;
    });
    uint32_t node = kNoUsageNode;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        const auto [entry, is_new] =
            nodes_.try_emplace({node, *frame}, static_cast<uint32_t>(report_.nodes.size()));
        if (is_new) report_.nodes.push_back({node, *frame});
        node = entry->second;
    }
    return node;
}

void UsageBuilder::add(const Usage& usage, uint64_t process, TraceFile& trace, StackNames& names,
                       uint64_t last_ticks) {
    seen_.clear();  // other traces' frames may have had the same addresses
    const uint64_t first = trace.header().start_ticks;
    const uint64_t start = trace.header().start_realtime_ns;
    if (report_.start_realtime_ns == 0 || start < report_.start_realtime_ns) {
        report_.start_realtime_ns = start;
    }
    report_.duration_ns = std::max(report_.duration_ns, trace.to_ns(last_ticks));
    for (const uint32_t id : sorted_keys(usage.types())) {
        const Usage::TypeUsage& type = usage.types().at(id);
        const uint32_t index = type_index(id == Usage::kHeap      ? "heap"
                                          : id == Usage::kMapping ? "mapping"
                                                                  : trace.strings()[id]);
        for (const uint32_t stack : sorted_keys(type.sites)) {
            const Usage::Site& from = type.sites.at(stack);
            const uint32_t node = node_of(stack, names);
            const auto [entry, is_new] =
                sites_.try_emplace({index, node}, static_cast<uint32_t>(report_.sites.size()));
            if (is_new) report_.sites.push_back({index, node, {}, {}, {}});
            UsageSite& site = report_.sites[entry->second];
            add_amount(site.live, from.live);
            add_amount(site.peak, from.peak);
            add_amount(site.allocated, from.allocated);
        }
        report_.series.push_back({process, index, trace.to_ns(first + usage.step_ticks()),
                                  type.most, type.live, type.peak});
    }
}

}  // namespace lastref
