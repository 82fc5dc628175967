#include "analyze/leak_group.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>

namespace lastref {
namespace {

using trace::Op;

using SuspectKey = std::tuple<bool, Op, Place>;
SuspectKey key_of(const Suspect& suspect) {
    return {suspect.absent, suspect.use.op, suspect.place};
}

void add_class(LeakGroup& group, const LeakedClass& one, Way way) {
    group.classes.push_back(&one);
    group.lives.merge(one.lives);
    group.faulty.ways.emplace_back(std::move(way), one.lives.count);
    group.faulty.lives += one.lives.count;
}

// Suspects of a further class of lives, weighed by their number.
void add_verdict(LeakGroup& group, const Verdict& verdict, uint64_t lives) {
    Verdict& whole = group.verdict;
    double all = 0;
    for (const Suspect& suspect : verdict.suspects) all += suspect.score;
    const bool first = whole.suspects.empty();
    if (first || verdict.distance < whole.distance) {
        std::vector<Suspect> kept = std::move(whole.suspects);
        const size_t residual =
            first ? verdict.residual : std::min(whole.residual, verdict.residual);
        whole = verdict;
        whole.suspects = std::move(kept);
        whole.residual = residual;
    } else {
        whole.residual = std::min(whole.residual, verdict.residual);
    }
    for (Suspect suspect : verdict.suspects) {
        if (all > 0) suspect.score *= static_cast<double>(lives) / all;
        const auto same =
            std::find_if(whole.suspects.begin(), whole.suspects.end(),
                         [&](const Suspect& known) { return key_of(known) == key_of(suspect); });
        if (same != whole.suspects.end()) {
            same->score += suspect.score;
        } else {
            whole.suspects.push_back(suspect);
        }
    }
    std::stable_sort(whole.suspects.begin(), whole.suspects.end(),
                     [](const Suspect& a, const Suspect& b) { return a.score > b.score; });
}

// The classes of one creation site that are neither unseen nor in flight.
class SiteGroups {
public:
    SiteGroups(uint32_t type, Place site, Judge& judge) : type_(type), site_(site), judge_(judge) {}

    void add(const LeakedClass& one) { classes_.push_back(&one); }

    std::vector<LeakGroup> groups(const Buffers& buffers, const TraceFacts& facts) {
        if (classes_.size() > kMostJudged) {
            std::stable_sort(classes_.begin(), classes_.end(),
                             [](const LeakedClass* a, const LeakedClass* b) {
                                 return a->lives.count > b->lives.count;
                             });
        }
        LiveStatistics lives;
        Population made;
        std::set<Origin> origins;
        for (const LeakedClass* const one : classes_) {
            lives.merge(one->lives);
            if (!origins.insert(one->origin).second) continue;
            const Population& origin = buffers.origins().at(one->origin);
            made.created += origin.created;
            made.live += origin.live;
            made.longest_life = std::max(made.longest_life, origin.longest_life);
        }
        for (const Way* const peer : judge_.blame.peers_of(site_)) made.ended += peer->lives;
        const Population* const origin =
            origins.size() == 1 ? &buffers.origins().at(*origins.begin()) : nullptr;
        const Held held =
            why_held(lives, made, origin, buffers.types().at(type_), buffers.event_count(), facts);
        if (held.cause != Cause::kUnknown) return alone(whole(Kind::kHeld, held));
        if (!facts.counts_known) return alone(whole(Kind::kRefcountLeak, {}));
        if (is_growth(lives, buffers.types().at(type_), buffers.event_count()))
            return alone(growth());
        return blamed(buffers.types().at(type_), facts.sampling.active());
    }

private:
    // Not as an initializer list, which would copy it: a group may hold a million ways.
    static std::vector<LeakGroup> alone(LeakGroup group) {
        std::vector<LeakGroup> groups;
        groups.push_back(std::move(group));
        return groups;
    }

    LeakGroup start() const {
        LeakGroup group;
        group.type = type_;
        group.created_site = site_;
        group.blind = judge_.blind;
        return group;
    }

    Way way_of(const LeakedClass& one) const {
        return judge_.ways.make(one.origin.second, one.sites, one.example->history.unordered());
    }

    LeakGroup whole(Kind kind, const Held& held) const {
        LeakGroup group = start();
        group.kind = kind;
        group.held = held;
        for (const LeakedClass* const one : classes_) add_class(group, *one, way_of(*one));
        return group;
    }

    // If nearly every life went its own way, the ways with the most lives and some of the others
    // suffice to find the fault of all.
    static constexpr size_t kMostJudged = 1024;
    // And of those that fit no verdict, or several.
    static constexpr size_t kMostDoubtful = 4 * kMostJudged;

    static std::span<const std::pair<Way, uint64_t>> judged(const LeakGroup& group) {
        return std::span(group.faulty.ways).first(std::min(kMostJudged, group.faulty.ways.size()));
    }

    // How often the lives of a group did what it is suspected of.
    struct Times {
        uint32_t fewest = UINT32_MAX, most = 0;
    };
    Times times_of(const LeakGroup& group) const {
        Times range;
        for (const auto& [way, lives] : judged(group)) {
            const uint32_t times = judge_.blame.times(way, group.verdict.suspects.front());
            range.fewest = std::min(range.fewest, times);
            range.most = std::max(range.most, times);
        }
        return range;
    }

    using Groups = std::map<std::tuple<bool, SuspectKey>, LeakGroup>;

    // The group with a verdict that `way` bears out as well; the largest of several, or none where
    // that is not good enough.
    LeakGroup* fitting(Groups& groups, const Way& way, bool largest) {
        LeakGroup* found = nullptr;
        for (auto& [key, group] : groups) {
            if (!std::get<bool>(key)) continue;
            const auto [at, fresh] = times_.try_emplace(&group);
            if (fresh) at->second = times_of(group);
            const Suspect& suspect = group.verdict.suspects.front();
            const uint32_t times = judge_.blame.times(way, suspect);
            if (suspect.absent ? times > at->second.most : times < at->second.fewest) continue;
            if (found != nullptr && !largest) return nullptr;
            if (found == nullptr || group.lives.count > found->lives.count) found = &group;
        }
        return found;
    }

    // The holder keeps a reference without a matching release, found from the balance of each life.
    // The maker's reference does not count if another holder took one, once, from each life.
    LeakGroup growth() const {
        LeakGroup group = whole(Kind::kGrowth, {});
        for (const auto& [way, lives] : judged(group)) {
            add_verdict(group, judge_.blame.judge_alone(way, Fault::kLeak), lives);
        }
        std::vector<Suspect>& suspects = group.verdict.suspects;
        const auto holder = std::find_if(suspects.begin(), suspects.end(), [&](const Suspect& one) {
            return one.use.op == Op::kRetain && !one.absent &&
                   std::all_of(
                       group.faulty.ways.begin(), group.faulty.ways.end(),
                       [&](const auto& way) { return judge_.blame.times(way.first, one) == 1; });
        });
        if (holder != suspects.end() && suspects.front().use.op == Op::kCreate) {
            std::swap(holder->score, suspects.front().score);
            std::rotate(suspects.begin(), holder, holder + 1);
        }
        for (Suspect& suspect : suspects) suspect.cause = Cause::kGrowth;
        // The growth is certain; the holder is as certain as its balance.
        group.confidence = std::max(kLeastConfidence,
                                    0.9 * confidence_of(group.verdict, group.lives.count) / kAlone);
        return group;
    }

    // The nearest of few peers decides between releases in several places by chance.
    static bool lacks_several(const Verdict& verdict) {
        constexpr double kClose = 0.5;
        return verdict.suspects.size() > 1 && verdict.suspects[0].absent &&
               verdict.suspects[1].absent &&
               verdict.suspects[1].score >= kClose * verdict.suspects[0].score;
    }

    std::vector<LeakGroup> blamed(const TypeStatistics& type, bool sampled) {
        // Without peers the only evidence is what all of these lives have in common.
        if (judge_.blame.peers_of(site_).empty()) {
            LeakGroup group = whole(Kind::kRefcountLeak, {});
            for (const auto& [way, lives] : judged(group)) {
                add_verdict(group, judge_.blame.judge(way, Fault::kLeak), lives);
            }
            group.confidence = confidence_of(group.verdict, group.lives.count);
            group.ambiguous = true;
            return alone(std::move(group));
        }
        Groups groups;
        size_t verdicts = 0;
        for (const LeakedClass* const one : classes_) {
            Way way = way_of(*one);
            if (verdicts >= kMostJudged) {
                if (LeakGroup* const group = fitting(groups, way, verdicts >= kMostDoubtful)) {
                    add_class(*group, *one, std::move(way));
                    continue;
                }
            }
            ++verdicts;
            const Verdict verdict = judge_.blame.judge(way, Fault::kLeak);
            const bool known = support_of(verdict, one->lives.count) >= kLeastConfidence - 0.05;
            const SuspectKey key = known ? key_of(verdict.suspects.front()) : SuspectKey();
            LeakGroup& group = groups.try_emplace({known, key}, start()).first->second;
            add_verdict(group, verdict, one->lives.count);
            add_class(group, *one, std::move(way));
            times_.erase(&group);
        }
        std::vector<LeakGroup> list;
        for (auto& [key, group] : groups) {
            group.confidence = confidence_of(group.verdict, group.lives.count);
            if (sampled && lacks_several(group.verdict)) {
                group.unsure =
                    "these lack several releases that freed ones did, and the sample is "
                    "too small to tell which is missing";
            } else if (group.confidence > 0 && group.verdict.suspects.front().absent &&
                       may_be_growth(group.lives, group.verdict.peers, type)) {
                group.unsure =
                    "of more and more that are held few were freed: a holder that grows may have "
                    "dropped those, or the release of the others is missing";
            }
            list.push_back(std::move(group));
        }
        return list;
    }

    const uint32_t type_;
    const Place site_;
    Judge& judge_;
    std::vector<const LeakedClass*> classes_;
    std::map<const LeakGroup*, Times> times_;
};

}  // namespace

void LeakGroup::take_in(LeakGroup& part, Cause cause) {
    dependants.push_back(
        {part.type, part.lives.count, part.lives.bytes, part.example().origin.second, cause});
    for (Dependant& further : part.dependants) dependants.push_back(further);
    part.joined = true;
}

const LeakedClass& LeakGroup::example() const {
    return **std::min_element(classes.begin(), classes.end(),
                              [](const LeakedClass* a, const LeakedClass* b) {
                                  return std::tie(a->example->created_ticks, a->example->address) <
                                         std::tie(b->example->created_ticks, b->example->address);
                              });
}

std::vector<LeakGroup> group_leaks(uint32_t type, Judge& judge, const Buffers& buffers,
                                   const TraceFacts& facts) {
    std::map<Place, SiteGroups> sites;
    std::map<std::tuple<Place, bool, std::string>, LeakGroup> held;
    const std::string* const partial = facts.hooks.partial(type);
    for (const LeakedClass& one : judge.leaked) {
        const PathId created = judge.ways.path_of(one.origin.second);
        const Place site = judge.ways.plumbing().site(Op::kCreate, created);
        const std::string keeper = keeper_of(judge.ways.paths(), created);
        if (!one.unseen && !one.young && partial == nullptr && keeper.empty()) {
            sites.try_emplace(site, type, site, judge).first->second.add(one);
            continue;
        }
        LeakGroup& group = held[{site, one.unseen, keeper}];
        group.type = type;
        group.created_site = site;
        group.kind = Kind::kHeld;
        add_class(group, one, judge.ways.make(one.origin.second, one.sites, {}));
        if (one.unseen) {
            group.held = held_as_unseen(group.lives);
        } else if (partial != nullptr) {
            group.held = held_as_partial(*partial);
        } else if (!keeper.empty()) {
            group.held = held_by_library(keeper);
        } else {
            group.held = held_in_flight(group.lives, buffers.types().at(type), facts);
        }
    }
    std::vector<LeakGroup> all;
    for (auto& [site, groups] : sites) {
        for (LeakGroup& group : groups.groups(buffers, facts)) all.push_back(std::move(group));
    }
    for (auto& [key, group] : held) all.push_back(std::move(group));
    return all;
}

}  // namespace lastref
