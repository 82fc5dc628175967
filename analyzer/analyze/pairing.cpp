#include "analyze/pairing.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analyze/pairing_weights.h"

namespace lastref {
namespace {

using trace::Op;

// More of one kind than this in a bag is damage or a generated program: the rest is not compared.
constexpr size_t kMostUses = 128;

bool gives_back(const Use& use) {
    return use.op == Op::kRelease || use.op == Op::kDestroy;
}

struct Pair {
    size_t a, b;
    double score;
};

void best_first(std::vector<Pair>& pairs) {
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& x, const Pair& y) { return x.score > y.score; });
}

// Takes equal operations out of both bags. Returns how many were the same place by another path.
uint32_t cancel(Bag& a, Bag& b, const TypeWays& ways) {
    if (a.size() > kMostUses) a.resize(kMostUses);
    if (b.size() > kMostUses) b.resize(kMostUses);
    uint32_t moved = 0;
    std::vector<Pair> pairs;
    for (size_t i = 0; i < a.size(); ++i) {
        for (size_t j = 0; j < b.size(); ++j) {
            if (a[i].op != b[j].op || a[i].site != b[j].site) continue;
            if (a[i].path == b[j].path) {
                const uint32_t same = std::min(a[i].times, b[j].times);
                a[i].times -= same;
                b[j].times -= same;
            } else {
                pairs.push_back(
                    {i, j, static_cast<double>(ways.common_inside(a[i].path, b[j].path))});
            }
        }
    }
    best_first(pairs);
    for (const Pair& pair : pairs) {
        const uint32_t same = std::min(a[pair.a].times, b[pair.b].times);
        a[pair.a].times -= same;
        b[pair.b].times -= same;
        moved += same;
    }
    const auto gone = [](const Use& use) { return use.times == 0; };
    std::erase_if(a, gone);
    std::erase_if(b, gone);
    return moved;
}

double touch_distance(const Way& a, const Way& b) {
    size_t common = 0;
    for (auto i = a.touches.begin(), j = b.touches.begin();
         i != a.touches.end() && j != b.touches.end();) {
        if (*i == *j)
            ++common, ++i, ++j;
        else if (*i < *j)
            ++i;
        else
            ++j;
    }
    const size_t all = a.touches.size() + b.touches.size();
    return std::min(pairing::kMostTouched,
                    pairing::kTouched * static_cast<double>(all - 2 * common));
}

double distance_of(uint32_t times) {
    // Long loops differ by a lot and are one difference all the same.
    return 1 + std::log2(times);
}

double creation_distance(const Way& faulty, const Way& clean, const TypeWays& ways) {
    if (faulty.created == clean.created) return 0;
    const double depth = static_cast<double>(ways.paths().places(faulty.created).size() + 1);
    const auto common = static_cast<double>(ways.common_inside(faulty.created, clean.created));
    return pairing::kCreatedByOtherPath + pairing::kCreatedApart * (1 - common / depth) +
           (faulty.created_site != clean.created_site ? pairing::kCreatedElsewhere : 0.0);
}

// Matches candidates with what may explain them, the likeliest first; fills in `strength`.
template <typename Score>
void explain(std::vector<Candidate>& candidates, std::vector<Candidate> reasons, Score&& score) {
    std::vector<Pair> pairs;
    std::vector<double> best(candidates.size(), 0), used(candidates.size(), 0);
    std::vector<uint32_t> left(candidates.size());
    for (size_t i = 0; i < candidates.size(); ++i) {
        left[i] = candidates[i].use.times;
        for (size_t j = 0; j < reasons.size(); ++j) {
            const double value = score(candidates[i], reasons[j]);
            best[i] = std::max(best[i], value);
            pairs.push_back({i, j, value});
        }
    }
    best_first(pairs);
    for (const Pair& pair : pairs) {
        const uint32_t matched = std::min(left[pair.a], reasons[pair.b].use.times);
        if (matched == 0) continue;
        left[pair.a] -= matched;
        if (candidates[pair.a].by == SIZE_MAX)
            candidates[pair.a].by = pair.b;  // the best comes first
        reasons[pair.b].use.times -= matched;
        used[pair.a] = std::max(used[pair.a], pair.score);
    }
    for (size_t i = 0; i < candidates.size(); ++i) {
        Candidate& candidate = candidates[i];
        candidate.strength = left[i] != 0 ? 1 - pairing::kHalfExplained * best[i]
                                          : pairing::kBadlyExplained * (1 - used[i]);
        if (left[i] != 0 && left[i] < candidate.use.times) {
            candidate.all_left = false;
            candidate.use.times = left[i];
        }
    }
    std::stable_sort(
        candidates.begin(), candidates.end(),
        [](const Candidate& a, const Candidate& b) { return a.strength > b.strength; });
}

// The unmatched operation in a life's own balance is a guess where another match would have been
// nearly as good. Holders forget to let go more often than makers: the release that came is the
// maker's then, and the retain that it seemed to answer is what is left.
template <typename Score>
void prefer_holder(std::vector<Candidate>& taken, const std::vector<Candidate>& given,
                   Score&& score) {
    const auto maker = std::find_if(taken.begin(), taken.end(), [](const Candidate& one) {
        return one.use.op == Op::kCreate && one.by == SIZE_MAX;
    });
    if (maker == taken.end()) return;
    auto holder = taken.end();
    double least = pairing::kNearlyAsGood;
    for (auto one = taken.begin(); one != taken.end(); ++one) {
        if (one->use.op != Op::kRetain || one->use.times != 1 || one->by == SIZE_MAX) continue;
        const double better = score(*one, given[one->by]) - score(*maker, given[one->by]);
        if (better >= least) continue;
        least = better;
        holder = one;
    }
    if (holder == taken.end()) return;
    std::swap(holder->strength, maker->strength);
    std::iter_swap(holder, maker);
}

}  // namespace

Pairing::Pairing(const TypeWays& ways) : ways_(ways) {
    std::map<std::pair<Op, Place>, uint32_t> caller;
    for (const std::vector<Way>* const some : {&ways.ended(), &ways.running()}) {
        for (const Way& way : *some) {
            for (const Use& use : way.bag) {
                const std::vector<Place>& places = ways.paths().places(use.path);
                const size_t at = use.telling + 1;
                if (at >= places.size()) continue;
                const uint32_t function = ways.paths().function(places[at]);
                const auto [known, fresh] = caller.try_emplace({use.op, use.site}, function);
                if (!fresh && known->second != function) shared_.insert({use.op, use.site});
            }
        }
    }
    for (size_t i = 0; i < ways.ended().size(); ++i) {
        const Way& way = ways.ended()[i];
        doers_[{Op::kCreate, way.created_site, way.created_site}].emplace_back(i, 1);
        for (const Use& use : way.bag) {
            Doers& same = doers_[deed(use)];
            if (same.empty() || same.back().first != i) same.emplace_back(i, 0);
            same.back().second += use.times;
        }
    }
}

Pairing::Deed Pairing::deed(const Use& use) const {
    return {use.op, use.site, use.op == Op::kCreate ? use.site : purpose(use)};
}

const Pairing::Doers& Pairing::doers(const Use& use) const {
    static const Doers none;
    const auto found = doers_.find(deed(use));
    return found != doers_.end() ? found->second : none;
}

// The place that shows the purpose of an operation: for a shared site, its caller.
Place Pairing::purpose(const Use& use) const {
    if (!shared_.contains({use.op, use.site})) return use.site;
    const std::vector<Place>& places = ways_.paths().places(use.path);
    const size_t at = use.telling + 1;
    return at < places.size() ? places[at] : use.site;
}

uint32_t Pairing::times(const Way& way, const Use& use) const {
    if (use.op == Op::kCreate) return way.created_site == use.site;
    uint32_t sum = 0;
    const Place place = purpose(use);
    for (const Use& one : way.bag) {
        if (one.op == use.op && one.site == use.site && purpose(one) == place) sum += one.times;
    }
    return sum;
}

// The same function, or class, or file; and how far in the ways of calls to them go together.
double Pairing::related(const Use& a, const Use& b) const {
    const CallPaths& paths = ways_.paths();
    constexpr size_t kOutwards = 3;
    double code = 0;
    const std::vector<Place>& x = paths.places(a.path);
    const std::vector<Place>& y = paths.places(b.path);
    const size_t x_first = a.telling, y_first = b.telling;
    const size_t x_end = std::min(x.size(), x_first + kOutwards);
    const size_t y_end = std::min(y.size(), y_first + kOutwards);
    // A caller seldom releases what a function retained, unless the function exists to retain for
    // callers.
    bool by_caller = false;
    if (!gives_back(a) && gives_back(b) && !shared_.contains({a.op, a.site}) && y_first < y_end) {
        for (size_t i = x_first + 1; i < x_end; ++i) {
            by_caller |= paths.function(x[i]) == paths.function(y[y_first]);
        }
    }
    for (size_t i = x_first; i < x_end; ++i) {
        for (size_t j = y_first; j < y_end; ++j) {
            double far = pairing::kFrameBetween * static_cast<double>(i - x_first + j - y_first);
            if (by_caller && j == y_first) far += pairing::kReleasedByCaller;
            if (paths.function(x[i]) == paths.function(y[j]))
                code = std::max(code, 1 - far);
            else if (paths.scope(x[i]) == paths.scope(y[j])) {
                const bool is_class = paths.function_name(paths.scope(x[i])).starts_with("class ");
                code = std::max(code, (is_class ? pairing::kSameClass : pairing::kSameFile) - far);
            }
        }
    }
    const size_t shorter = std::min(paths.places(a.path).size(), paths.places(b.path).size());
    const double calls = shorter == 0 ? 0
                                      : static_cast<double>(ways_.common_outside(a.path, b.path)) /
                                            static_cast<double>(shorter);
    return pairing::kCode * code + pairing::kCalls * calls;
}

// The share of clean lives that do both equally often, among those that do either. Where no life
// ended, leaked lives are used as well, but only where they differ: an operation that all of them
// do once goes together with every other such operation.
double Pairing::together(const Use& retain, const Use& release) {
    const auto key =
        std::pair(std::pair(retain.op, purpose(retain)), std::pair(release.op, purpose(release)));
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    uint64_t either = 0, equal = 0;
    // Both are sorted by the ways' numbers.
    const Doers &taking = doers(retain), &giving = doers(release);
    for (auto a = taking.begin(), b = giving.begin(); a != taking.end() || b != giving.end();) {
        const size_t number =
            b == giving.end() || (a != taking.end() && a->first < b->first) ? a->first : b->first;
        const bool takes = a != taking.end() && a->first == number;
        const bool gives = b != giving.end() && b->first == number;
        const uint64_t lives = ways_.ended()[number].lives;
        either += lives;
        if (takes && gives && a->second == b->second) equal += lives;
        if (takes) ++a;
        if (gives) ++b;
    }
    double value = either == 0 ? pairing::kNothingLearned
                               : static_cast<double>(equal) / static_cast<double>(either);
    if (either == 0) {
        std::set<uint32_t> counts;
        for (const Way& way : ways_.running()) {
            const uint32_t taken = times(way, retain);
            counts.insert(taken);
            ++either;
            if (taken == times(way, release)) ++equal;
        }
        if (counts.size() > 1) value = static_cast<double>(equal) / static_cast<double>(either);
    }
    known_[key] = value;
    return value;
}

double Pairing::answers(const Use& retain, const Use& release) {
    const double learned = together(retain, release);
    return pairing::kLearned * learned + pairing::kRelated * related(retain, release);
}

double Pairing::replaces(const Use& a, const Use& b) const {
    return pairing::kReplaces * related(a, b);
}

Difference compare(const Way& faulty, const Way& clean, Fault fault, const TypeWays& ways,
                   Pairing& pairing) {
    Bag more = faulty.bag, fewer = clean.bag;
    const uint32_t moved = cancel(more, fewer, ways);
    Difference difference;
    for (const Bag* const bag : {&more, &fewer}) {
        for (const Use& use : *bag) difference.distance += distance_of(use.times);
    }
    difference.distance += std::min(pairing::kMostMoved, pairing::kMoved * moved) +
                           touch_distance(faulty, clean) + creation_distance(faulty, clean, ways);

    std::vector<Candidate> reasons;
    const auto sort_in = [&](const Bag& bag, bool absent) {
        for (const Use& use : bag) {
            Candidate one;
            one.use = use;
            one.absent = absent;
            const bool keeps = gives_back(use) == absent;  // a retain more, or a release less
            if (!absent) {
                for (const Use& whole : faulty.bag) {
                    if (whole.op == use.op && whole.path == use.path) {
                        one.all_left = whole.times == use.times;
                    }
                }
            }
            (keeps == (fault == Fault::kLeak) ? difference.candidates : reasons).push_back(one);
        }
    };
    sort_in(more, false);
    sort_in(fewer, true);
    explain(difference.candidates, std::move(reasons),
            [&](const Candidate& candidate, const Candidate& reason) {
                if (candidate.absent != reason.absent) {
                    return pairing.replaces(candidate.use, reason.use);
                }
                return gives_back(candidate.use) ? pairing.answers(reason.use, candidate.use)
                                                 : pairing.answers(candidate.use, reason.use);
            });
    return difference;
}

// After a site's operations are taken out in pairs the rest may belong to several paths, which
// makes the distance larger still.
double least_distance(const Way& faulty, const Way& clean, const TypeWays& ways) {
    double distance = touch_distance(faulty, clean) + creation_distance(faulty, clean, ways);
    auto a = faulty.sites.begin(), b = clean.sites.begin();
    while (a != faulty.sites.end() || b != clean.sites.end()) {
        if (b == clean.sites.end() || (a != faulty.sites.end() && a->first < b->first)) {
            distance += distance_of((a++)->second);
        } else if (a == faulty.sites.end() || b->first < a->first) {
            distance += distance_of((b++)->second);
        } else {
            const uint32_t more = std::max(a->second, b->second) - std::min(a->second, b->second);
            if (more != 0) distance += distance_of(more);
            ++a, ++b;
        }
    }
    return distance;
}

Difference balance(const Way& faulty, Fault fault, const TypeWays& ways, Pairing& pairing) {
    Difference difference;
    std::vector<Candidate> taken, given;
    Candidate own;
    own.use = ways.use(Op::kCreate, faulty.created, 1);
    taken.push_back(own);
    for (const Use& use : faulty.bag) {
        Candidate one;
        one.use = use;
        (gives_back(use) ? given : taken).push_back(one);
    }
    if (taken.size() > kMostUses) taken.resize(kMostUses);
    if (given.size() > kMostUses) given.resize(kMostUses);
    const auto score = [&](const Use& take, const Use& give) {
        const double value = pairing.answers(take, give);
        // Who made a buffer and passed it on is the last to let go more often than not.
        return take.op == Op::kCreate ? std::max(value, pairing::kMakersDue) : value;
    };
    if (fault == Fault::kLeak) {
        const auto answer = [&](const Candidate& take, const Candidate& give) {
            return score(take.use, give.use);
        };
        explain(taken, given, answer);
        prefer_holder(taken, given, answer);
        difference.candidates = std::move(taken);
    } else {
        explain(given, taken, [&](const Candidate& give, const Candidate& take) {
            return score(take.use, give.use);
        });
        difference.candidates = std::move(given);
    }
    return difference;
}

}  // namespace lastref
