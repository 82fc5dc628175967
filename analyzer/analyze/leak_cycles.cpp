#include "analyze/leak_cycles.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace lastref {
namespace {

using trace::Op;

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
    for (LeakGroup& group : groups) {
        if (!group.is_blamed() || group.joined) continue;
        Judge& judge = judges.of(group.type);
        const auto retain = judge.blame.kept_reference(group.faulty.ways.front().first,
                                                       group.verdict.suspects.front());
        if (!retain) continue;
        kept.push_back({&group, *retain, {}});
    }
    if (kept.size() < 2) return kept;  // no two to hold each other
    std::map<std::tuple<Origin, uint64_t>, size_t> of_class;
    for (size_t i = 0; i < kept.size(); ++i) {
        for (const LeakedClass* const one : kept[i].group->classes) {
            of_class[{one->origin, one->example->signature.value()}] = i;
        }
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
    root.take_in(*b.group, Cause::kCycle);
}

std::string not_sure_of_cycle(const Kept& other, const FindingBuilder& builder) {
    return "these and buffers of type " + builder.text(other.group->type) +
           " may keep each other, which the sample is too small to tell";
}

}  // namespace

void join_cycles(std::vector<LeakGroup>& groups, Judges& judges, const FindingBuilder& builder) {
    const Buffers& buffers = builder.lifecycle().buffers();
    const bool sampled = builder.facts().sampling.active();
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
}

}  // namespace lastref
