#include "analyze/made_together.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "analyze/owned_parts.h"

namespace lastref {
namespace {

// Both are made by one call of one function.
bool made_in_one_call(const LeakGroup& owner, const LeakGroup& part, Judges& judges) {
    const TypeWays& ways = judges.of(owner.type).ways;
    const PathId made = ways.path_of(owner.example().origin.second);
    const PathId with = ways.path_of(part.example().origin.second);
    const auto call = common_call(ways, made, with);
    return call && ways.paths().function(ways.paths().places(made)[call->first]) ==
                       ways.paths().function(owner.created_site);
}

std::set<Origin> origins_of(const LeakGroup& group) {
    std::set<Origin> origins;
    for (const LeakedClass* const one : group.classes) origins.insert(one->origin);
    return origins;
}

// Each owner is followed by as many parts as any other, on its thread.
bool follow_each(const LeakGroup& owner, const LeakGroup& part, const Buffers& buffers) {
    if (part.lives.count % owner.lives.count != 0) return false;
    const std::set<Origin> owners = origins_of(owner), parts = origins_of(part);
    std::vector<std::tuple<uint32_t, uint64_t, bool>> made;  // thread, position, whether a part
    buffers.for_each_live([&](const BufferLife& life) {
        const Origin origin{life.type, life.created_stack};
        const bool is_part = parts.contains(origin);
        if (!is_part && !owners.contains(origin)) return;
        made.emplace_back(life.history.unordered().front().thread, life.created_at, is_part);
    });
    std::sort(made.begin(), made.end());
    uint64_t wanted = 0;
    uint32_t of_thread = 0;
    for (const auto& [thread, position, is_part] : made) {
        if (is_part) {
            if (wanted == 0 || thread != of_thread) return false;
            --wanted;
        } else {
            if (wanted != 0) return false;
            wanted = part.lives.count / owner.lives.count;
            of_thread = thread;
        }
    }
    return wanted == 0;
}

}  // namespace

void join_made_together(std::vector<LeakGroup>& groups, Judges& judges, const Buffers& buffers) {
    // By the function that makes them: those that others retain or release, and those that nobody
    // does.
    struct Made {
        std::vector<LeakGroup*> used, unused;
    };
    std::map<uint32_t, Made> functions;
    for (LeakGroup& group : groups) {
        if (!group.is_blamed() || group.joined || group.created_site == Plumbing::kNoPlace ||
            buffers.types().at(group.type).ended != 0) {
            continue;
        }
        Made& made = functions[judges.paths().function(group.created_site)];
        const auto is_used = [](const auto& way) { return !way.first.bag.empty(); };
        if (std::ranges::all_of(group.faulty.ways, is_used)) made.used.push_back(&group);
        if (std::ranges::none_of(group.faulty.ways, is_used)) made.unused.push_back(&group);
    }
    size_t tries = 64;  // each looks at all that is live
    for (auto& [function, made] : functions) {
        if (made.used.size() != 1) continue;  // none, or ambiguous
        LeakGroup& owner = *made.used.front();
        for (LeakGroup* const part : made.unused) {
            if (part->type == owner.type || !made_in_one_call(owner, *part, judges)) continue;
            if (tries-- == 0) return;
            if (follow_each(owner, *part, buffers)) {
                owner.take_in(*part, Cause::kReferenceToLeakedOwner);
            }
        }
    }
}

}  // namespace lastref
