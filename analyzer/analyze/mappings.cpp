#include "analyze/mappings.h"

#include <algorithm>

namespace lastref {
namespace {

constexpr uint64_t kPage = 4096;

// The kernel maps and unmaps whole pages, whatever size it is given.
uint64_t end_of(uint64_t address, uint64_t size) {
    const uint64_t room = (UINT64_MAX - kPage) - std::min(address, UINT64_MAX - kPage);
    return (address + std::min(size, room) + kPage - 1) & ~(kPage - 1);
}

FollowedLife life_of(const Mapping& mapping) {
    return {FollowedLife::kMapping, mapping.stack,
            mapping.begin,          mapping.end - mapping.begin,
            mapping.ticks,          0,
            mapping.number};
}

}  // namespace

// Takes [address, address + size) out of whatever is mapped there and returns what was.
std::vector<Mapping> Mappings::cut(uint64_t address, uint64_t size) {
    std::vector<Mapping> removed;
    const uint64_t end = end_of(address, size);
    if (end <= address) return removed;
    const auto keep = [this](const Mapping& rest) {
        live_.emplace(rest.begin, rest);
        if (follower_ != nullptr) follower_->goes_on(life_of(rest));
    };
    auto at = live_.upper_bound(address);
    if (at != live_.begin() && std::prev(at)->second.end > address) --at;
    while (at != live_.end() && at->second.begin < end) {
        const Mapping whole = at->second;
        at = live_.erase(at);
        Mapping part = whole;
        part.begin = std::max(whole.begin, address);
        part.end = std::min(whole.end, end);
        totals_.live_bytes -= part.end - part.begin;
        removed.push_back(part);
        // A part that stays is reported as a new life, so that every life is a whole mapping.
        if (follower_ != nullptr) follower_->ends(life_of(whole));
        if (whole.begin < part.begin) {
            Mapping before = whole;
            before.end = part.begin;
            keep(before);
        }
        if (whole.end > part.end) {
            Mapping after = whole;
            after.begin = part.end;
            keep(after);
        }
    }
    return removed;
}

void Mappings::insert(Mapping mapping, bool anew) {
    if (mapping.begin >= mapping.end) return;
    cut(mapping.begin, mapping.end - mapping.begin);
    if (follower_ != nullptr && anew) {
        mapping.number = follower_->begins(life_of(mapping));
    } else if (follower_ != nullptr) {
        follower_->goes_on(life_of(mapping));
    }
    live_[mapping.begin] = mapping;
    totals_.live_bytes += mapping.end - mapping.begin;
    totals_.peak_bytes = std::max(totals_.peak_bytes, totals_.live_bytes);
}

void Mappings::map(const Event& event) {
    insert({event.address, end_of(event.address, event.size), event.ticks, totals_.made,
            event.stack, event.thread},
           true);
    ++totals_.made;
    made_by_stack_.increment(event.stack);
}

void Mappings::unmap(const Event& event) {
    std::vector<Mapping> removed = cut(event.address, event.size);
    if (!removed.empty()) ++totals_.unmapped;
    removed_[event.log] = std::move(removed);
}

void Mappings::unmap_failed(uint32_t log) {
    const auto found = removed_.find(log);
    if (found == removed_.end()) return;
    if (!found->second.empty()) --totals_.unmapped;
    for (const Mapping& mapping : found->second) insert(mapping, false);
    removed_.erase(found);
}

void Mappings::remap(const Event& event) {
    Mapping moved{event.address, end_of(event.address, event.size),
                  event.ticks,   totals_.made,
                  event.stack,   event.thread};
    if (const auto found = removed_.find(event.log); found != removed_.end()) {
        if (!found->second.empty()) {
            const Mapping& origin = found->second.front();
            moved.ticks = origin.ticks;
            moved.serial = origin.serial;
            moved.stack = origin.stack;
            moved.thread = origin.thread;
            moved.number = origin.number;
            --totals_.unmapped;
        }
        removed_.erase(found);
    }
    const bool anew = moved.serial == totals_.made;
    if (anew) {
        ++totals_.made;
        made_by_stack_.increment(event.stack);
    }
    insert(moved, anew);
}

}  // namespace lastref
