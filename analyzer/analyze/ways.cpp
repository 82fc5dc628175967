#include "analyze/ways.h"

#include <algorithm>
#include <map>

namespace lastref {
namespace {

using trace::Op;

bool is_counted(Op op) {
    return op == Op::kRetain || op == Op::kRelease || op == Op::kDestroy;
}

}  // namespace

uint32_t Way::times(Op op, Place site) const {
    uint32_t sum = 0;
    for (const Use& use : bag) {
        if (use.op == op && use.site == site) sum += use.times;
    }
    return sum;
}

TypeWays::TypeWays(CallPaths& paths, const Origins& origins, uint32_t type,
                   const std::vector<RunningLives>& running)
    : paths_(paths) {
    const auto first = origins.lower_bound({type, 0});
    const auto last = origins.upper_bound({type, UINT32_MAX});

    std::map<std::pair<Op, PathId>, uint64_t> uses;
    for (auto origin = first; origin != last; ++origin) {
        for (const auto& [key, signature] : origin->second.ended_lives.known()) {
            for (const HistoryRecord& record : signature.records) {
                uses[{record.operation(), paths_.of(record.stack)}] += signature.lives;
            }
        }
    }
    for (const auto& [created_stack, sites] : running) {
        ++uses[{Op::kCreate, paths_.of(created_stack)}];
        for (const auto& [site, times] : *sites) {
            ++uses[{site_op(site), paths_.of(site_stack(site))}];
        }
    }
    std::vector<Plumbing::Use> learning;
    learning.reserve(uses.size());
    for (const auto& [use, lives] : uses) learning.push_back({use.first, use.second, lives});
    plumbing_ = std::make_unique<Plumbing>(paths_, learning);

    for (auto origin = first; origin != last; ++origin) {
        for (const auto& [key, signature] : origin->second.ended_lives.known()) {
            ended_.push_back(
                make(origin->first.second, count_sites(signature.records), signature.records));
            ended_.back().lives = signature.lives;
            ended_.back().signature = &signature;
        }
    }
    for (const auto& [created_stack, sites] : running) {
        if (running_.size() < kMostEndedOfSite) running_.push_back(make(created_stack, *sites, {}));
    }
    std::stable_sort(ended_.begin(), ended_.end(), [](const Way& a, const Way& b) {
        if (a.lives != b.lives) return a.lives > b.lives;
        return a.signature->records.front().ticks < b.signature->records.front().ticks;
    });
    std::map<Place, size_t> kept;
    std::erase_if(ended_,
                  [&kept](const Way& way) { return ++kept[way.created_site] > kMostEndedOfSite; });
}

Use TypeWays::use(Op op, PathId path, uint32_t times) const {
    const std::vector<Place>& places = paths_.places(path);
    if (places.empty()) return {op, path, Plumbing::kNoPlace, times, 0};
    const auto [telling, fresh] =
        telling_.try_emplace(uint64_t{static_cast<uint8_t>(op)} << 32 | path);
    if (fresh) telling->second = plumbing_->telling(op, path);
    return {op, path, places[telling->second], times, telling->second};
}

Way TypeWays::make(uint32_t created_stack, const SiteCounts& sites,
                   const std::vector<HistoryRecord>& records) const {
    Way way;
    way.created = paths_.of(created_stack);
    way.created_site = plumbing_->site(Op::kCreate, way.created);
    for (const auto& [site, times] : sites) {
        const Op op = site_op(site);
        if (!is_counted(op)) continue;
        const PathId path = paths_.of(site_stack(site));
        const auto same = std::find_if(way.bag.begin(), way.bag.end(), [&](const Use& use) {
            return use.op == op && use.path == path;
        });
        if (same != way.bag.end()) {
            same->times += times;
        } else {
            way.bag.push_back(use(op, path, times));
        }
    }
    for (const Use& use : way.bag) {
        way.sites.emplace_back(uint64_t{static_cast<uint8_t>(use.op)} << 32 | use.site, use.times);
    }
    std::sort(way.sites.begin(), way.sites.end());
    size_t kept = 0;
    for (size_t i = 1; i < way.sites.size(); ++i) {
        if (way.sites[kept].first == way.sites[i].first) {
            way.sites[kept].second += way.sites[i].second;
        } else {
            way.sites[++kept] = way.sites[i];
        }
    }
    if (!way.sites.empty()) way.sites.resize(kept + 1);
    way.bag.shrink_to_fit();
    way.sites.shrink_to_fit();
    for (const HistoryRecord& record : records) {
        if (record.operation() == Op::kTouch) {
            way.touches.emplace_back(plumbing_->site(Op::kTouch, paths_.of(record.stack)),
                                     record.string);
        }
    }
    std::sort(way.touches.begin(), way.touches.end());
    way.touches.erase(std::unique(way.touches.begin(), way.touches.end()), way.touches.end());
    way.touches.shrink_to_fit();
    return way;
}

size_t TypeWays::common_inside(PathId a, PathId b) const {
    const std::vector<Place>& x = paths_.places(a);
    const std::vector<Place>& y = paths_.places(b);
    return static_cast<size_t>(std::mismatch(x.begin(), x.end(), y.begin(), y.end()).first -
                               x.begin());
}

size_t TypeWays::common_outside(PathId a, PathId b) const {
    const std::vector<Place>& x = paths_.places(a);
    const std::vector<Place>& y = paths_.places(b);
    return static_cast<size_t>(std::mismatch(x.rbegin(), x.rend(), y.rbegin(), y.rend()).first -
                               x.rbegin());
}

}  // namespace lastref
