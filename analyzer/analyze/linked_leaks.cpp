#include "analyze/linked_leaks.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace lastref {
namespace {

using trace::Op;

bool is_blamed(const LeakGroup& group) {
    return group.kind == Kind::kRefcountLeak && !group.blind && !group.verdict.suspects.empty();
}

void take_in(LeakGroup& root, LeakGroup& part, Cause cause) {
    root.dependants.push_back(
        {part.type, part.lives.count, part.lives.bytes, part.example().origin.second, cause});
    for (LeakGroup::Dependant& further : part.dependants) root.dependants.push_back(further);
    part.joined = true;
}

// How one type of buffer lets go of another when it ends.
struct Owning {
    uint32_t owner = 0;
    uint32_t part = 0;
    std::set<Place> sites;         // of the parts' releases
    std::vector<PathId> releases;  // of parts
    uint64_t most_parts = 1;       // that one owner lets go of
};

// The innermost function that both paths pass in one call: its index in each. A path has the
// innermost frame first.
std::optional<std::pair<size_t, size_t>> common_call(const TypeWays& ways, PathId a, PathId b) {
    const std::vector<Place>& x = ways.paths().places(a);
    const std::vector<Place>& y = ways.paths().places(b);
    const size_t same = ways.common_outside(a, b);
    if (same == 0 || same >= x.size() || same >= y.size()) return std::nullopt;
    const size_t i = x.size() - same - 1, j = y.size() - same - 1;
    if (ways.paths().function(x[i]) != ways.paths().function(y[j])) return std::nullopt;
    return std::pair(i, j);
}

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

// In a sample the end of an owner and the release of one of its parts are hardly ever both there:
// that the calls fit each other has to do.
std::vector<Owning> learn_owning_from_sample(Judges& judges, const Buffers& buffers,
                                             const std::vector<LeakGroup>& groups) {
    constexpr size_t kMostPaths = 64;  // of either kind
    OwningLearner learner(judges);
    for (const LeakGroup& part : groups) {
        if (!is_blamed(part)) continue;
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
// of its parts: there the numbers that were made tell how many those are, and three standard
// deviations are allowed for what the draw made of them.
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
        if (!is_blamed(group) || group.joined) continue;
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
    for (LeakGroup* const part : parts) take_in(root, *part, Cause::kReferenceToLeakedOwner);
}

std::string lower(const std::string& text) {
    std::string made;
    for (const char c : text)
        made += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return made;
}

// A reference that a group's lives keep.
struct Kept {
    LeakGroup* group;
    Suspect retain;
    std::vector<std::pair<uint32_t, uint64_t>> times;  // thread and ticks, one for each life
};

// Each was taken in code of the other, or by two lines of one function.
bool hold_each_other(const Kept& a, const Kept& b, const CallPaths& paths,
                     const FindingBuilder& builder) {
    if (a.retain.place == b.retain.place) return false;
    const uint32_t x = paths.function(a.retain.place), y = paths.function(b.retain.place);
    if (x == y) return true;
    const std::string of_a = lower(builder.text(a.group->type));
    const std::string of_b = lower(builder.text(b.group->type));
    if (of_a.size() < 3 || of_b.size() < 3) return false;
    return lower(paths.function_name(x)).find(of_b) != std::string::npos &&
           lower(paths.function_name(y)).find(of_a) != std::string::npos;
}

// Nearly all references of `a` were taken next to one of `b`, on the same thread. `share`: of the
// lives that were recorded; where that is a sample, few have their other half in it, and what is
// next in the sample needs to be next in time as well.
bool were_taken_together(const Kept& a, const Kept& b, double share) {
    if (a.times.empty() || b.times.empty()) return false;
    std::vector<std::tuple<uint32_t, uint64_t, bool>> both;
    for (const auto& [thread, ticks] : a.times) both.emplace_back(thread, ticks, false);
    for (const auto& [thread, ticks] : b.times) both.emplace_back(thread, ticks, true);
    std::sort(both.begin(), both.end());
    const auto [first, last] = std::minmax_element(
        both.begin(), both.end(),
        [](const auto& x, const auto& y) { return std::get<1>(x) < std::get<1>(y); });
    constexpr uint64_t kClose = 16;
    const uint64_t close =
        share == 1 ? UINT64_MAX
                   : (std::get<1>(*last) - std::get<1>(*first)) / (kClose * both.size());
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < both.size(); ++i) {
        const auto& [thread, ticks, which] = both[i];
        const auto& [next_thread, next_ticks, next_which] = both[i + 1];
        if (thread == next_thread && which != next_which && next_ticks - ticks <= close) {
            ++pairs;
            ++i;
        }
    }
    const double most = static_cast<double>(std::max(a.times.size(), b.times.size()));
    const auto found = static_cast<double>(pairs);
    return share == 1 ? found >= 0.9 * most : found >= std::max(1.0, 0.4 * share * most);
}

std::vector<Kept> kept_references(std::vector<LeakGroup>& groups, Judges& judges,
                                  const Buffers& buffers) {
    std::vector<Kept> kept;
    std::map<std::tuple<Origin, uint64_t>, size_t> of_class;
    for (LeakGroup& group : groups) {
        if (!is_blamed(group) || group.joined) continue;
        Judge& judge = judges.of(group.type);
        const auto retain = judge.blame.kept_reference(group.faulty.ways.front().first,
                                                       group.verdict.suspects.front());
        if (!retain) continue;
        for (const LeakedClass* const one : group.classes) {
            of_class[{one->origin, one->example->signature.value()}] = kept.size();
        }
        kept.push_back({&group, *retain, {}});
    }
    constexpr size_t kMostLives = 4096;
    buffers.for_each_live([&](const BufferLife& life) {
        const auto at =
            of_class.find({Origin{life.type, life.created_stack}, life.signature.value()});
        if (at == of_class.end()) return;
        Kept& one = kept[at->second];
        if (one.times.size() >= kMostLives) return;
        const TypeWays& ways = judges.of(life.type).ways;
        for (const HistoryRecord& record : life.history.unordered()) {
            if (record.operation() == Op::kRetain &&
                ways.plumbing().site(Op::kRetain, ways.path_of(record.stack)) ==
                    one.retain.use.site) {
                one.times.emplace_back(record.thread, record.ticks);
                return;
            }
        }
    });
    return kept;
}

void make_cycle(Kept& a, Kept& b, const FindingBuilder& builder) {
    LeakGroup& root = *a.group;
    const double missing = root.verdict.suspects.front().score;
    a.retain.score = 2 * missing;
    b.retain.score = missing;
    a.retain.cause = b.retain.cause = Cause::kCycle;
    std::vector<Suspect>& suspects = root.verdict.suspects;
    std::erase_if(suspects, [&](const Suspect& known) {
        return !known.absent && (known.place == a.retain.place || known.place == b.retain.place);
    });
    suspects.insert(suspects.begin(), {a.retain, b.retain});
    root.cycle_with = builder.text(b.group->type);
    take_in(root, *b.group, Cause::kCycle);
}

std::string not_sure_of_cycle(const Kept& other, const FindingBuilder& builder) {
    return "these and buffers of type " + builder.text(other.group->type) +
           " may keep each other, which the sample is too small to tell";
}

}  // namespace

void link_leaks(std::vector<LeakGroup>& groups, Judges& judges, FindingBuilder& builder) {
    std::set<uint32_t> types;
    for (const LeakGroup& group : groups) {
        if (is_blamed(group)) types.insert(group.type);
    }
    const Buffers& buffers = builder.lifecycle().buffers();
    const bool sampled = builder.facts().sampling.active();
    for (const Owning& owning : sampled ? learn_owning_from_sample(judges, buffers, groups)
                                        : learn_owning(judges, buffers.consequences(), types)) {
        fold(owning, groups, judges, builder);
    }
    std::vector<Kept> kept = kept_references(groups, judges, buffers);
    const auto made_at = [](const Kept& one) { return one.group->example().example->created_at; };
    std::sort(kept.begin(), kept.end(),
              [&](const Kept& a, const Kept& b) { return made_at(a) < made_at(b); });
    const double share = sampled ? 1 / builder.facts().sampling.interval : 1;
    constexpr size_t kMostKept = 64;
    if (kept.size() > kMostKept) kept.resize(kMostKept);
    for (Kept& a : kept) {
        for (Kept& b : kept) {
            if (&a >= &b || a.group->joined || b.group->joined) continue;
            if (!hold_each_other(a, b, judges.paths(), builder)) continue;
            if (were_taken_together(a, b, share)) {
                make_cycle(a, b, builder);
            } else if (sampled) {
                a.group->unsure = not_sure_of_cycle(b, builder);
                b.group->unsure = not_sure_of_cycle(a, builder);
            }
        }
    }
    std::erase_if(groups, [](const LeakGroup& group) { return group.joined; });
}

}  // namespace lastref
