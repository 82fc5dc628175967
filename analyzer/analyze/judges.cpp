#include "analyze/judges.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace lastref {

bool ended_unseen(const Misuse& misuse, const TypeWays& ways, const TypeStatistics& type) {
    if (misuse.kind != Kind::kFreedWhileReferenced || type.usual_frees.empty()) return false;
    const CallPaths& paths = ways.paths();
    const std::vector<Place>& here = paths.places(ways.path_of(misuse.stack));
    for (const auto& [stack, times] : type.usual_frees) {
        const PathId usual = ways.path_of(stack);
        const std::vector<Place>& there = paths.places(usual);
        if (here == there) return true;
        // Where a releasing function frees it, whoever calls that function.
        const size_t end = std::min(here.size(), there.size());
        for (size_t i = 0; i < end && paths.function(here[i]) == paths.function(there[i]); ++i) {
            if (ways.plumbing().is_plumbing(trace::Op::kRelease, here[i])) return true;
        }
    }
    return false;
}

Judges::Judges(FindingBuilder& builder)
    : builder_(builder),
      paths_(builder.names()),
      classes_(classify_leaked(builder.lifecycle().buffers(), builder.facts())) {}

std::vector<uint32_t> Judges::leaking() const {
    std::vector<uint32_t> types;
    for (const LeakedClass& one : classes_) {
        if (types.empty() || types.back() != one.origin.first) types.push_back(one.origin.first);
    }
    return types;
}

// The classes are sorted by origin, that is by type first.
std::span<const LeakedClass> Judges::leaked_of(uint32_t type) const {
    const auto of_type = std::ranges::equal_range(
        classes_, type, {}, [](const LeakedClass& one) { return one.origin.first; });
    return {of_type.begin(), of_type.end()};
}

Judge& Judges::of(uint32_t type) {
    const auto [at, fresh] = judges_.try_emplace(type);
    if (!fresh) return *at->second;
    const std::span<const LeakedClass> leaked = leaked_of(type);
    std::vector<RunningLives> running;
    for (const LeakedClass& one : leaked) running.push_back({one.origin.second, &one.sites});
    std::deque<SiteCounts> misused;
    builder_.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        if (misuse.type == type && !misuse.history.empty()) {
            misused.push_back(count_sites(misuse.history));
            running.push_back({misuse.created_stack, &misused.back()});
        }
    });
    at->second =
        std::make_unique<Judge>(paths_, builder_.lifecycle().buffers().origins(), type, running);
    at->second->leaked = leaked;
    const TypeStatistics& all = builder_.lifecycle().buffers().types().at(type);
    at->second->unseen = all.unseen;
    builder_.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        if (misuse.type == type && ended_unseen(misuse, at->second->ways, all)) {
            at->second->unseen += misuse.count;
        }
    });
    // With a twentieth of the lives unseen there is not enough evidence to blame anyone.
    at->second->blind = at->second->unseen * 20 >= all.created;
    return *at->second;
}

}  // namespace lastref
