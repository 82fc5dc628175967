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

UsageSite& UsageBuilder::site_at(uint32_t type, uint32_t node) {
    const auto [entry, is_new] =
        sites_.try_emplace({type, node}, static_cast<uint32_t>(report_.sites.size()));
    if (is_new) report_.sites.push_back({type, node, {}, {}, {}});
    return report_.sites[entry->second];
}

void UsageBuilder::add_times(uint64_t start_realtime_ns, uint64_t duration_ns) {
    if (report_.start_realtime_ns == 0 || start_realtime_ns < report_.start_realtime_ns) {
        report_.start_realtime_ns = start_realtime_ns;
    }
    report_.duration_ns = std::max(report_.duration_ns, duration_ns);
}

void UsageBuilder::trace_begins(TraceFile& trace, StackNames& names) {
    const trace::TraceHeader& header = trace.header();
    usage_.emplace(Sampling::of(header), header.start_ticks);
    trace_ = &trace;
    names_ = &names;
    tree_.next_trace();
}

void UsageBuilder::trace_ends(uint64_t last_ticks) {
    const uint64_t first = trace_->header().start_ticks;
    add_times(trace_->header().start_realtime_ns, trace_->to_ns(last_ticks));
    usage_->finish();
    for (const uint32_t id : sorted_keys(usage_->types())) {
        const Usage::TypeUsage& type = usage_->types().at(id);
        const uint32_t index = type_index(id == Usage::kHeap      ? "heap"
                                          : id == Usage::kMapping ? "mapping"
                                                                  : trace_->strings()[id]);
        for (const uint32_t stack : sorted_keys(type.sites)) {
            const Usage::Site& from = type.sites.at(stack);
            UsageSite& site = site_at(index, tree_.node_of(stack, *names_));
            add_amount(site.live, from.live);
            add_amount(site.peak, from.peak);
            add_amount(site.allocated, from.allocated);
        }
        report_.series.push_back({process_, index, trace_->to_ns(first + usage_->step_ticks()),
                                  type.most, type.live, type.peak});
    }
    ++process_;
}

void UsageBuilder::add(const UsageReport& part, uint64_t first_process) {
    add_times(part.start_realtime_ns, part.duration_ns);
    std::vector<uint32_t> types;  // index here, by index there
    for (const std::string& type : part.types) types.push_back(type_index(type));
    const std::vector<uint32_t> nodes = tree_.add(part.frames, part.nodes);
    for (const UsageSite& from : part.sites) {
        const uint32_t node = from.node == kNoUsageNode ? kNoUsageNode : nodes[from.node];
        UsageSite& site = site_at(types[from.type], node);
        add_amount(site.live, from.live);
        add_amount(site.peak, from.peak);
        add_amount(site.allocated, from.allocated);
    }
    for (const UsageSeries& series : part.series) {
        UsageSeries& added = report_.series.emplace_back(series);
        added.process += first_process;
        added.type = types[series.type];
    }
}

}  // namespace lastref
