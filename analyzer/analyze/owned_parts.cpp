#include "analyze/owned_parts.h"

#include <algorithm>
#include <map>

namespace lastref {
namespace {

using trace::Op;

class OwningLearner {
public:
    explicit OwningLearner(Judges& judges) : judges_(judges) {}

    // How an owner ends, and a part's release that follows it.
    void add(uint32_t owner_type, PathId end, uint32_t type, PathId release, uint64_t parts) {
        if (owner_type == type) return;
        const TypeWays& ways = judges_.of(type).ways;
        const auto call = common_call(ways, end, release);
        // Two releases by one function are two of its own; deeper is the work of the end.
        if (!call || call->second <= call->first) return;
        // An earlier line of that function is the next round of a loop.
        const CallPaths& paths = ways.paths();
        if (paths.frame(paths.places(release)[call->second]).line <
            paths.frame(paths.places(end)[call->first]).line) {
            return;
        }
        Owning& owning = known_[{owner_type, type}];
        owning.owner = owner_type;
        owning.part = type;
        owning.sites.insert(ways.plumbing().site(Op::kRelease, release));
        owning.releases.push_back(release);
        owning.most_parts = std::max(owning.most_parts, parts);
    }

    // Each the owner of the other is none.
    std::vector<Owning> list() const {
        std::vector<Owning> all;
        for (const auto& [key, owning] : known_) {
            if (!known_.contains({key.second, key.first})) all.push_back(owning);
        }
        return all;
    }

private:
    Judges& judges_;
    std::map<std::pair<uint32_t, uint32_t>, Owning> known_;
};

}  // namespace

std::optional<std::pair<size_t, size_t>> common_call(const TypeWays& ways, PathId a, PathId b) {
    const std::vector<Place>& x = ways.paths().places(a);
    const std::vector<Place>& y = ways.paths().places(b);
    const size_t same = ways.common_outside(a, b);
    if (same == 0 || same >= x.size() || same >= y.size()) return std::nullopt;
    const size_t i = x.size() - same - 1, j = y.size() - same - 1;
    if (ways.paths().function(x[i]) != ways.paths().function(y[j])) return std::nullopt;
    return std::pair(i, j);
}

std::vector<Owning> learn_owning(Judges& judges, const Consequences& consequences,
                                 const std::set<uint32_t>& types) {
    OwningLearner learner(judges);
    for (const auto& [key, count] : consequences.counts()) {
        if (!types.contains(key.owner_type) || !types.contains(key.type)) continue;
        CallPaths& paths = judges.paths();
        learner.add(key.owner_type, paths.of(key.owner_end), key.type, paths.of(key.release),
                    (count.releases + count.ends - 1) / count.ends);
    }
    return learner.list();
}

std::vector<Owning> learn_owning_from_sample(Judges& judges, const Buffers& buffers,
                                             const std::vector<LeakGroup>& groups) {
    constexpr size_t kMostPaths = 64;  // of either kind
    OwningLearner learner(judges);
    for (const LeakGroup& part : groups) {
        if (!part.is_blamed()) continue;
        const Suspect& first = part.verdict.suspects.front();
        if (!first.absent || first.use.op != Op::kRelease) continue;
        std::set<PathId> releases = {first.use.path};
        for (const Way& way : judges.of(part.type).ways.ended()) {
            for (const Use& use : way.bag) {
                if (use.op == Op::kRelease && use.site == first.use.site &&
                    releases.size() < kMostPaths) {
                    releases.insert(use.path);
                }
            }
        }
        for (const auto& [owner, statistics] : buffers.types()) {
            if (statistics.ended == 0) continue;
            const TypeWays& ways = judges.of(owner).ways;
            std::set<std::pair<PathId, Op>> ends;
            for (const Way& way : ways.ended()) {
                const HistoryRecord& last = way.signature->records.back();
                if (ends.size() < kMostPaths)
                    ends.emplace(ways.path_of(last.stack), last.operation());
            }
            for (const auto& [end, op] : ends) {
                for (const PathId release : releases) {
                    const auto call = common_call(ways, end, release);
                    // Ended by that very function, which goes on to let go of what it held.
                    if (!call || call->first > ways.plumbing().telling(op, end)) continue;
                    learner.add(owner, end, part.type, release, 1);
                }
            }
        }
    }
    return learner.list();
}

}  // namespace lastref
