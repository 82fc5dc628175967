#include "analyze/linked_leaks.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "analyze/leak_cycles.h"
#include "analyze/made_together.h"
#include "analyze/owned_parts.h"

namespace lastref {
namespace {

using trace::Op;

// A life was seen in `function` when it was called from where `path` says.
bool was_in_call(const LeakGroup& group, const TypeWays& ways, PathId path, size_t frame) {
    const std::vector<Place>& call = ways.paths().places(path);
    const size_t outer = call.size() - frame - 1;
    for (const LeakedClass* const one : group.classes) {
        for (const HistoryRecord& record : one->example->history.unordered()) {
            const PathId seen = ways.path_of(record.stack);
            const std::vector<Place>& places = ways.paths().places(seen);
            if (places.size() <= outer || ways.common_outside(seen, path) < outer) continue;
            if (ways.paths().function(places[places.size() - outer - 1]) ==
                ways.paths().function(call[frame])) {
                return true;
            }
        }
    }
    return false;
}

// Where owner and part lack releases that clean lives do in one call which leaked lives were never
// seen in, that call is what is missing.
void name_the_call(LeakGroup& owner, const Owning& owning, const TypeWays& ways) {
    Suspect& suspect = owner.verdict.suspects.front();
    if (!suspect.absent || suspect.use.op != Op::kRelease) return;
    const std::vector<Place>& places = ways.paths().places(suspect.use.path);
    size_t innermost = places.size();
    for (const PathId release : owning.releases) {
        const auto call = common_call(ways, suspect.use.path, release);
        if (call) innermost = std::min(innermost, call->first);
    }
    if (innermost < suspect.frame || innermost + 1 >= places.size()) return;
    if (was_in_call(owner, ways, suspect.use.path, innermost)) return;
    suspect.frame = innermost + 1;
    suspect.place = places[suspect.frame];
}

// How many parts the leaked owners explain. In a sample one end of an owner seldom comes with all
// of its parts: there their number is estimated from the numbers created, with three standard
// deviations allowed for sampling.
double explained_parts(const Owning& owning, uint64_t owners, uint64_t parts,
                       const FindingBuilder& builder) {
    double each = static_cast<double>(owning.most_parts);
    if (!builder.facts().sampling.active()) return each * static_cast<double>(owners);
    const Types& types = builder.lifecycle().buffers().types();
    each = std::max(each, static_cast<double>(types.at(owning.part).created) /
                              static_cast<double>(types.at(owning.owner).created));
    const double expected = each * static_cast<double>(owners);
    return expected + 3 * std::sqrt(each * expected + static_cast<double>(parts));
}

void fold(const Owning& owning, std::vector<LeakGroup>& groups, Judges& judges,
          const FindingBuilder& builder) {
    std::vector<LeakGroup*> owners, parts;
    uint64_t owner_lives = 0, part_lives = 0;
    for (LeakGroup& group : groups) {
        if (!group.is_blamed() || group.joined) continue;
        if (group.type == owning.owner) {
            owners.push_back(&group);
            owner_lives += group.lives.count;
        }
        const Suspect& first = group.verdict.suspects.front();
        if (group.type == owning.part && first.absent && first.use.op == Op::kRelease &&
            owning.sites.contains(first.use.site)) {
            parts.push_back(&group);
            part_lives += group.lives.count;
        }
    }
    if (parts.empty()) return;
    if (owners.empty()) {
        if (!builder.facts().sampling.active()) return;
        for (LeakGroup* const part : parts) {
            part->unsure = "these are released when a buffer of type " +
                           builder.text(owning.owner) +
                           " ends, and the sample holds none that leaked";
        }
        return;
    }
    // More parts than the owners had were leaked by something else.
    if (static_cast<double>(part_lives) >
        explained_parts(owning, owner_lives, part_lives, builder)) {
        return;
    }
    LeakGroup& root = **std::max_element(owners.begin(), owners.end(), [](auto* a, auto* b) {
        return a->lives.count < b->lives.count;
    });
    for (LeakGroup* const owner : owners) {
        name_the_call(*owner, owning, judges.of(owner->type).ways);
    }
    for (LeakGroup* const part : parts) root.take_in(*part, Cause::kReferenceToLeakedOwner);
}

}  // namespace

void link_leaks(std::vector<LeakGroup>& groups, Judges& judges, FindingBuilder& builder) {
    std::set<uint32_t> types;
    for (const LeakGroup& group : groups) {
        if (group.is_blamed()) types.insert(group.type);
    }
    const Buffers& buffers = builder.lifecycle().buffers();
    const bool sampled = builder.facts().sampling.active();
    for (const Owning& owning : sampled ? learn_owning_from_sample(judges, buffers, groups)
                                        : learn_owning(judges, buffers.consequences(), types)) {
        fold(owning, groups, judges, builder);
    }
    if (!sampled) join_made_together(groups, judges, buffers);
    join_cycles(groups, judges, builder);
    std::erase_if(groups, [](const LeakGroup& group) { return group.joined; });
}

}  // namespace lastref
