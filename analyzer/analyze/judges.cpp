#include "analyze/judges.h"

#include <algorithm>
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

Judge& Judges::of(uint32_t type) {
    const auto [at, fresh] = judges_.try_emplace(type);
    if (!fresh) return *at->second;
    std::vector<std::pair<uint32_t, SiteCounts>> running;
    for (const LeakedClass& one : classes_) {
        if (one.origin.first == type) running.emplace_back(one.origin.second, one.sites);
    }
    builder_.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        if (misuse.type == type && !misuse.history.empty()) {
            running.emplace_back(misuse.created_stack, count_sites(misuse.history));
        }
    });
    at->second =
        std::make_unique<Judge>(paths_, builder_.lifecycle().buffers().origins(), type, running);
    for (const LeakedClass& one : classes_) {
        if (one.origin.first == type) at->second->leaked.push_back(&one);
    }
    const TypeStatistics& all = builder_.lifecycle().buffers().types().at(type);
    at->second->unseen = all.unseen;
    builder_.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        if (misuse.type == type && ended_unseen(misuse, at->second->ways, all)) {
            at->second->unseen += misuse.count;
        }
    });
    // What is seen of a twentieth less is not enough to tell who is to blame.
    at->second->blind = at->second->unseen * 20 >= all.created;
    return *at->second;
}

}  // namespace lastref
