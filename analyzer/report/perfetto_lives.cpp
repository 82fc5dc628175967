#include "report/perfetto_lives.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>

namespace lastref {
namespace {

bool tells_more(const LifeSlice& a, const LifeSlice& b) {
    const auto rank = [](const LifeSlice& slice) {
        return std::tuple(slice.is_live, slice.end_ticks - slice.begin_ticks, slice.life.number);
    };
    return rank(a) > rank(b);
}

// Each slice takes the lowest lane that is free when it begins.
uint32_t assign_lanes(std::vector<LifeSlice>& by_begin) {
    using Busy = std::pair<uint64_t, uint32_t>;  // until when, lane
    std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
    std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> free;
    uint32_t lanes = 0;
    for (LifeSlice& slice : by_begin) {
        for (; !busy.empty() && busy.top().first <= slice.begin_ticks; busy.pop())
            free.push(busy.top().second);
        if (free.empty()) free.push(lanes++);
        slice.lane = free.top();
        free.pop();
        busy.push({slice.end_ticks, slice.lane});
    }
    return lanes;
}

}  // namespace

void PerfettoLives::begins(const FollowedLife& life, uint64_t ticks) {
    LifeSlice slice;
    slice.life = life;
    slice.begin_ticks = ticks;
    live_[key_of(life)] = slice;
    ++types_[life.type].all;
}

void PerfettoLives::changes(const FollowedLife& life) {
    if (const auto found = live_.find(key_of(life)); found != live_.end())
        found->second.life = life;
}

void PerfettoLives::ends(const FollowedLife& life, uint64_t ticks) {
    const auto found = live_.find(key_of(life));
    if (found == live_.end()) return;
    LifeSlice slice = found->second;
    live_.erase(found);
    slice.life = life;
    slice.end_ticks = ticks;
    std::vector<LifeSlice>& kept = types_[life.type].slices;
    if (kept.size() == most_) {
        if (!tells_more(slice, kept.front())) return;
        std::pop_heap(kept.begin(), kept.end(), tells_more);
        kept.pop_back();
    }
    kept.push_back(slice);
    std::push_heap(kept.begin(), kept.end(), tells_more);
}

std::map<uint32_t, PerfettoLives::OfType> PerfettoLives::finish(uint64_t last_ticks) {
    for (auto& [key, slice] : live_) {
        slice.is_live = true;
        slice.end_ticks = std::max(last_ticks, slice.begin_ticks);
        types_[slice.life.type].slices.push_back(slice);
    }
    live_.clear();
    for (auto& [type, of_type] : types_) {
        std::vector<LifeSlice>& slices = of_type.slices;
        std::sort(slices.begin(), slices.end(), tells_more);
        slices.resize(std::min(slices.size(), most_));
        std::sort(slices.begin(), slices.end(), [](const LifeSlice& a, const LifeSlice& b) {
            return std::tuple(a.begin_ticks, a.end_ticks, a.life.number) <
                   std::tuple(b.begin_ticks, b.end_ticks, b.life.number);
        });
        of_type.lanes = assign_lanes(slices);
    }
    return std::move(types_);
}

}  // namespace lastref
