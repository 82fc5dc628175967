#include "analyze/leaked_groups.h"

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

namespace lastref {
namespace {

using trace::Op;

uint64_t signature(const SiteCounts& sites) {
    uint64_t hash = 0;
    for (const auto& [site, times] : sites) {
        if (site_op(site) == Op::kTouch) continue;
        hash = (hash ^ site) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

uint64_t events_of(const SiteCounts& sites) {
    uint64_t sum = 0;
    for (const auto& [site, times] : sites) sum += times;
    return sum;
}

std::string plural(uint64_t count, const char* what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

// Row 29. The number of live buffers stood still while others came and went: either the newest
// stay and push older ones out, or the first ones stay and are still in use.
bool is_bounded_cache(const LeakedGroup& group, const OriginStatistics& origin,
                      uint64_t buffer_events) {
    constexpr uint64_t kFewest = 4;  // with less, chance looks like a pattern
    if (group.count < kFewest || origin.live < kFewest) return false;
    const uint64_t live = origin.live;
    const bool turnover = origin.ended >= 2 * live;
    const bool steady =
        origin.created_at_peak <= origin.created / 2 && origin.peak_live <= 2 * live;
    if (turnover && steady) {
        // Where the victim is drawn at random, some live log2(live) times as long as the mean.
        const uint64_t window = live * (4 + static_cast<uint64_t>(std::bit_width(live)));
        if (origin.created > window && group.first_serial >= origin.created - window) return true;
    }
    const bool in_use = group.in_use_late * 2 >= group.count;
    if (turnover && in_use && group.last_serial < origin.created / 4) return true;
    return origin.ended == 0 && in_use && group.fewest_events >= 8 &&
           group.last_created_at <= buffer_events / 4;
}

}  // namespace

std::vector<LeakedGroup> group_leaked(const Buffers& buffers, const TraceFacts& facts) {
    std::map<std::tuple<Origin, uint64_t, bool>, LeakedGroup> groups;
    buffers.for_each_live([&](const BufferLife& life) {
        const SiteCounts sites = life.sites();
        const Origin origin{life.type, life.created_stack};
        const auto [at, fresh] = groups.try_emplace({origin, signature(sites), life.unseen != 0});
        LeakedGroup& group = at->second;
        const uint64_t events = events_of(sites);
        if (fresh) {
            group.origin = origin;
            group.final_count_min = group.final_count_max = life.count;
            group.first_serial = group.last_serial = life.serial;
            group.oldest_ticks = life.created_ticks;
            group.fewest_events = events;
            group.example = &life;
        }
        ++group.count;
        group.bytes += life.size;
        group.final_count_min = std::min(group.final_count_min, life.count);
        group.final_count_max = std::max(group.final_count_max, life.count);
        group.most_unseen = std::max(group.most_unseen, life.unseen);
        if (life.created_ticks >= facts.recent_ticks) ++group.recent;
        group.first_serial = std::min(group.first_serial, life.serial);
        group.last_serial = std::max(group.last_serial, life.serial);
        group.oldest_ticks = std::min(group.oldest_ticks, life.created_ticks);
        group.last_created_at = std::max(group.last_created_at, life.created_at);
        if (life.last_event_at > buffers.event_count() / 4 * 3) ++group.in_use_late;
        group.fewest_events = std::min(group.fewest_events, events);
        group.sites.add_life(sites);
        if (std::tie(life.created_ticks, life.address) <
            std::tie(group.example->created_ticks, group.example->address)) {
            group.example = &life;
        }
    });
    std::vector<LeakedGroup> sorted;
    sorted.reserve(groups.size());
    for (auto& [key, group] : groups) sorted.push_back(std::move(group));
    return sorted;
}

Held why_held(const LeakedGroup& group, const OriginStatistics& origin, uint64_t buffer_events,
              const TraceFacts& facts) {
    if (group.most_unseen != 0) {
        return {Cause::kUnseen, "the true counter moved by up to " +
                                    std::to_string(group.most_unseen) +
                                    " without an event: operations are not hooked"};
    }
    if (const std::string* unseen = facts.hooks.partial(group.origin.first)) {
        return {Cause::kUnseen, "not all operations of this type are hooked: " + *unseen};
    }
    // One lost event hides the end of one life at most.
    if (facts.lost >= group.count && facts.lost != 0) {
        return {Cause::kUnseen,
                facts.lost == UINT64_MAX
                    ? "a part of the trace is missing; these may have ended in it"
                    : plural(facts.lost, "event") + " lost; these may have ended unseen"};
    }
    if (!facts.orderly_exit) {
        const uint64_t age = facts.last_ticks - group.oldest_ticks;
        if (origin.ended != 0 && age <= origin.longest_life) {
            return {Cause::kInFlight, "the process did not end by itself, and " +
                                          plural(origin.ended, "buffer") +
                                          " made here lived as long before being freed"};
        }
        if (group.recent == group.count) {
            return {Cause::kInFlight,
                    "made in the last moments of a process that did not end by itself"};
        }
    }
    if (is_bounded_cache(group, origin, buffer_events)) {
        return {Cause::kCache, "the number alive stood still at " + std::to_string(origin.live) +
                                   " while buffers came and went"};
    }
    return {};
}

}  // namespace lastref
