#include "analyze/leaked_groups.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace lastref {
namespace {

// Somebody finds it again and again: one place used it at least so many times, over `span` ticks.
bool is_revisited(const BufferLife& life, uint64_t visits_wanted, uint64_t span) {
    struct Visits {
        uint64_t count = 0, first = UINT64_MAX, last = 0;
    };
    const std::vector<HistoryRecord>& records = life.history.unordered();
    // Most lives are too short as a whole, and there are many.
    const auto [first, last] =
        std::minmax_element(records.begin(), records.end(),
                            [](const auto& a, const auto& b) { return a.ticks < b.ticks; });
    if (records.size() < visits_wanted || last->ticks - first->ticks < span) return false;
    std::unordered_map<uint64_t, Visits> by_site;
    for (const HistoryRecord& record : records) {
        Visits& visits = by_site[record.site()];
        ++visits.count;
        visits.first = std::min(visits.first, record.ticks);
        visits.last = std::max(visits.last, record.ticks);
        if (visits.count >= visits_wanted && visits.last - visits.first >= span) return true;
    }
    return false;
}

// How long others went on while a life's thread waited for a processor: it does not age by that. A
// tenth of a second at most, which is more than a time slice.
uint64_t waited(const TypeStatistics& type, uint32_t thread, const TraceFacts& facts) {
    const auto own = type.threads.find(thread);
    if (own == type.threads.end()) return 0;
    uint64_t latest = own->second.last_change;
    for (const auto& [other, population] : type.threads) {
        latest = std::max(latest, population.last_change);
    }
    return std::min(latest - own->second.last_change, facts.ticks_per_second / 10);
}

// Ticks, as far as its thread had a processor.
uint64_t age_of(const BufferLife& life, const TypeStatistics& type, const TraceFacts& facts) {
    const uint64_t age = facts.last_ticks - std::min(facts.last_ticks, life.created_ticks);
    return age - std::min(age, waited(type, life.used_by, facts));
}

// In the hands of a thread that was still at work when the process ended by itself: one that has
// not ended, did not end the process, and did not finish with what came to it later. A tenth of a
// second is more than it takes a process to end. Where work overtakes other work this is weak
// evidence: there a life is in hand only if it is no older than others became.
bool is_in_hand(const BufferLife& life, const TypeStatistics& type, uint64_t age,
                const TraceFacts& facts) {
    if (facts.threads_at_rest.empty() || facts.threads_at_rest.contains(life.used_by)) return false;
    const auto found = type.threads.find(life.used_by);
    if (found == type.threads.end() || type.ended == 0) return false;
    const ThreadPopulation& came = found->second;
    if (life.used_by_serial >= came.newest_ended) {
        return age <= type.longest_life + facts.ticks_per_second / 10;
    }
    return came.created - life.used_by_serial <= came.live && age <= type.longest_life;
}

// May be in the middle of its life: of a process that was stopped, all that are no older than
// others got.
bool is_young(const BufferLife& life, const TypeStatistics& type, const TraceFacts& facts) {
    const uint64_t age = age_of(life, type, facts);
    if (facts.orderly_exit) return is_in_hand(life, type, age, facts);
    return life.created_ticks >= facts.recent_ticks ||
           (type.ended != 0 && age <= type.longest_life);
}

LiveStatistics of_one(const BufferLife& life, const Buffers& buffers, const TraceFacts& facts) {
    LiveStatistics one;
    one.count = 1;
    one.bytes = life.size;
    one.final_count_min = one.final_count_max = life.count;
    one.most_unseen = life.unseen;
    one.recent = life.created_ticks >= facts.recent_ticks;
    one.first_serial = one.last_serial = life.serial;
    one.first_type_serial = one.last_type_serial = life.type_serial;
    one.first_of_threads[life.used_by] = life.used_by_serial;
    one.oldest_ticks = life.created_ticks;
    one.last_created_at = life.created_at;
    one.in_use_late = life.last_event_at > buffers.event_count() / 4 * 3;
    const uint64_t span = (facts.last_ticks - facts.first_ticks) / 32;
    one.revisited = is_revisited(life, 3, span);
    one.old = life.created_at <= buffers.event_count() / 4 * 3;
    // A life that only sat idle until its second half does not count as revisited.
    one.old_in_use = one.old != 0 && one.in_use_late != 0 && is_revisited(life, 2, span);
    one.events = one.fewest_events = life.counted_events();
    return one;
}

}  // namespace

void LiveStatistics::merge(const LiveStatistics& other) {
    count += other.count;
    bytes += other.bytes;
    final_count_min = std::min(final_count_min, other.final_count_min);
    final_count_max = std::max(final_count_max, other.final_count_max);
    most_unseen = std::max(most_unseen, other.most_unseen);
    recent += other.recent;
    first_serial = std::min(first_serial, other.first_serial);
    last_serial = std::max(last_serial, other.last_serial);
    first_type_serial = std::min(first_type_serial, other.first_type_serial);
    last_type_serial = std::max(last_type_serial, other.last_type_serial);
    for (const auto& [thread, serial] : other.first_of_threads) {
        uint64_t& first = first_of_threads.try_emplace(thread, serial).first->second;
        first = std::min(first, serial);
    }
    oldest_ticks = std::min(oldest_ticks, other.oldest_ticks);
    last_created_at = std::max(last_created_at, other.last_created_at);
    in_use_late += other.in_use_late;
    old += other.old;
    old_in_use += other.old_in_use;
    revisited += other.revisited;
    events += other.events;
    fewest_events = std::min(fewest_events, other.fewest_events);
}

std::vector<LeakedClass> classify_leaked(const Buffers& buffers, const TraceFacts& facts) {
    std::map<std::tuple<Origin, uint64_t, bool, bool>, LeakedClass> classes;
    buffers.for_each_live([&](const BufferLife& life) {
        const Origin origin{life.type, life.created_stack};
        const bool unseen = life.unseen != 0;
        const bool young = is_young(life, buffers.types().at(life.type), facts);
        const auto [at, fresh] =
            classes.try_emplace({origin, life.signature.value(), unseen, young});
        LeakedClass& one = at->second;
        if (fresh) {
            one.origin = origin;
            one.unseen = unseen;
            one.young = young;
            one.sites = life.sites();
            one.example = &life;
        }
        one.lives.merge(of_one(life, buffers, facts));
        if (std::tie(life.created_ticks, life.address) <
            std::tie(one.example->created_ticks, one.example->address)) {
            one.example = &life;
        }
    });
    std::vector<LeakedClass> sorted;
    sorted.reserve(classes.size());
    for (auto& [key, one] : classes) sorted.push_back(std::move(one));
    return sorted;
}

}  // namespace lastref
