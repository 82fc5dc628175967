#include "analyze/held.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "analyze/cache_window.h"

namespace lastref {
namespace {

std::string plural(uint64_t count, const char* what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

constexpr uint64_t kFewest = 4;                          // with less, chance looks like a pattern
constexpr uint64_t kFewestGrown = 8;                     // nor may growth be judged
constexpr uint64_t kFewestDropped = 8;                   // and with less an order
constexpr double kDrawn = 1.0 / 16, kInTurn = 1.0 / 64;  // out_of_turn()
constexpr size_t kMostHolders = 32;  // threads with a cache or a table of their own

// The newest stay and push older ones out, of a number that stands still. What a fault leaves
// behind is spread over all that came, or makes them more.
bool are_the_newest(uint64_t first_serial, const Population& all) {
    const bool turnover = all.ended >= 2 * all.live;
    const bool steady = all.stood_still() && all.peak_live <= 2 * all.live;
    if (all.live < kFewest || !turnover || !steady) return false;
    const uint64_t window = cache_window(all.live);
    return all.created > window && first_serial >= all.created - window;
}

// Each thread has a cache of its own: it may stand still when others have only begun, and behind a
// queue that is longer at times. Many threads that each leave something behind are no caches.
bool are_the_newest_of_threads(const LiveStatistics& lives, const TypeStatistics& type) {
    const auto& threads = lives.first_of_threads;
    return threads.size() <= kMostHolders &&
           std::all_of(threads.begin(), threads.end(), [&](const auto& first) {
               const auto all = type.threads.find(first.first);
               return all != type.threads.end() && are_the_newest(first.second, all->second);
           });
}

// The number of lives that each of these threads has in hand rose to the end.
bool have_more_and_more(const LiveStatistics& lives, const TypeStatistics& type) {
    const auto& threads = lives.first_of_threads;
    return threads.size() <= kMostHolders &&
           std::all_of(threads.begin(), threads.end(), [&](const auto& first) {
               const auto all = type.threads.find(first.first);
               return all != type.threads.end() && !all->second.stood_still() &&
                      all->second.live * 4 >= all->second.peak_live * 3;
           });
}

// How far behind the newest that ended before it a life ended, in the mean: 0 where all ended in
// turn, 1 where each was the oldest after the newest.
//
// Work that is done with ends nearly in turn, however long it waited: 0.05 where 32 of 600 are in
// hand at once and end in any order. Where somebody who has them all draws which one has to go it
// is from 0.12 to 0.25.
double out_of_turn(const TypeStatistics& type) {
    double behind = 0, most = 0;
    for (const auto& [thread, population] : type.threads) {
        const EndOrder& ends = population.ends;
        if (ends.ended == 0) continue;
        behind += static_cast<double>(ends.behind);
        most += static_cast<double>(ends.ended) * static_cast<double>(ends.newest - ends.oldest);
    }
    return most > 0 ? behind / most : 0;
}

// Hardly any was made between a life's beginning and its end: one in sixteen of all, in the mean.
bool ended_at_once(const TypeStatistics& type) {
    double since = 0, ended = 0;
    for (const auto& [thread, population] : type.threads) {
        since += population.ends.made_since;
        ended += static_cast<double>(population.ends.ended);
    }
    return since * 16 < ended;
}

// doc/lifecycle-bugs.md, row 29. The number of live ones stood still while others came and went:
// either the newest stay and push older ones out, or the first ones stay and are still in use.
bool is_bounded_cache(const LiveStatistics& lives, const Population& all, uint64_t first_serial,
                      uint64_t last_serial, uint64_t buffer_events) {
    if (lives.count < kFewest || all.live < kFewest) return false;
    if (are_the_newest(first_serial, all)) return true;
    const bool turnover = all.ended >= 2 * all.live;
    const bool in_use = lives.in_use_late * 2 >= lives.count;
    if (turnover && in_use && last_serial < all.created / 4) return true;
    return all.ended == 0 && in_use && lives.fewest_events >= 8 &&
           lives.last_created_at <= buffer_events / 4;
}

// Row 31 there: made at the start, a fixed number, none ever ended while much else went on.
bool is_left_from_start(const LiveStatistics& lives, const Population& site,
                        uint64_t buffer_events) {
    return site.ended == 0 && lives.count <= 64 && lives.last_created_at <= buffer_events / 16 &&
           lives.events * 16 <= buffer_events;
}

// GLib never finalizes the class of a static type, and keeps what its initialization made:
// properties (g_param_spec_pool_insert), pad templates and their caps, which GstStaticCaps keeps as
// well. GIO keeps its default file system. GStreamer's registry lives until gst_deinit(), which
// programs need not call. Seen in GLib 2.74 and GStreamer 1.22; g_type_class_get is the name from
// 2.84 on.
constexpr std::array<std::string_view, 9> kKeepers = {
    "g_type_class_ref",    "g_type_class_get",           "g_type_default_interface_ref",
    "gst_static_caps_get", "gst_update_registry",        "g_param_spec_pool_insert",
    "gst_init_check",      "gst_plugin_register_static", "g_vfs_get_default"};

}  // namespace

std::string keeper_of(const CallPaths& paths, PathId created) {
    for (const Place place : paths.places(created)) {
        const std::string& function = paths.frame(place).function;
        if (std::find(kKeepers.begin(), kKeepers.end(), function) != kKeepers.end())
            return function;
    }
    return "";
}

Held held_by_library(const std::string& keeper) {
    return {Cause::kShutdown,
            "made below " + keeper + ", which keeps such buffers for the life of the process"};
}

Held held_as_unseen(const LiveStatistics& lives) {
    return {Cause::kUnseen, "the true counter moved by up to " + std::to_string(lives.most_unseen) +
                                " without an event: operations are not hooked"};
}

Held held_as_partial(const std::string& unseen) {
    return {Cause::kUnseen, "not all operations of this type are hooked: " + unseen};
}

Held held_in_flight(const LiveStatistics& lives, const Population& type, const TraceFacts& facts) {
    if (facts.orderly_exit) {
        return {Cause::kInFlight,
                "in the hands of a thread that was still at work when the process ended"};
    }
    const uint64_t age = facts.last_ticks - std::min(facts.last_ticks, lives.oldest_ticks);
    if (type.ended != 0 && age <= type.longest_life) {
        return {Cause::kInFlight, "the process did not end by itself, and of " +
                                      plural(type.ended, "buffer") +
                                      " of this type that were freed some lived as long before"};
    }
    return {Cause::kInFlight, "made in the last moments of a process that did not end by itself"};
}

Held why_held(const LiveStatistics& lives, const Population& site, const Population* origin,
              const TypeStatistics& type, uint64_t buffer_events, const TraceFacts& facts) {
    // One lost event hides the end of one life at most.
    if (facts.lost >= lives.count && facts.lost != 0) {
        return {Cause::kUnseen,
                facts.lost == UINT64_MAX
                    ? "a part of the trace is missing; these may have ended in it"
                    : plural(facts.lost, "event") + " lost; these may have ended unseen"};
    }
    const bool cached = (origin != nullptr && is_bounded_cache(lives, *origin, lives.first_serial,
                                                               lives.last_serial, buffer_events)) ||
                        is_bounded_cache(lives, type, lives.first_type_serial,
                                         lives.last_type_serial, buffer_events) ||
                        are_the_newest_of_threads(lives, type);
    if (cached) {
        return {Cause::kCache, "the number alive stood still at " + std::to_string(lives.count) +
                                   " while buffers came and went"};
    }
    if (is_left_from_start(lives, site, buffer_events)) {
        return {Cause::kShutdown,
                "made at the start and kept to the end; their number did not "
                "grow as work went on"};
    }
    return {};
}

namespace {

// Of `all` in a row, the place `at` lies in the last quarter.
bool in_last_quarter(uint64_t at, uint64_t all) {
    return at * 4 >= all * 3;
}

// More and more of them, to the end.
bool grows(const LiveStatistics& lives, const TypeStatistics& type) {
    return lives.count >= kFewestGrown && in_last_quarter(lives.last_type_serial, type.created) &&
           !type.stood_still();
}

// What nobody holds nobody uses: where somebody comes to one in four of the old ones, they are
// held.
bool are_old_and_in_use(const LiveStatistics& lives, uint64_t buffer_events) {
    const bool goes_on = lives.last_created_at >= buffer_events / 4 * 3;
    return goes_on && lives.old >= kFewestGrown && lives.old_in_use * 4 >= lives.old;
}

// Nobody comes to them, but they are held and go one by one, whichever their age, fewer than come.
bool are_drawn(const LiveStatistics& lives, const TypeStatistics& type) {
    return have_more_and_more(lives, type) && type.ended >= kFewestDropped &&
           out_of_turn(type) >= kDrawn;
}

// First in, first out, and more come than go: a queue that is drained too slowly. What a fault
// leaves behind is among others that ended.
bool wait_in_a_queue(const LiveStatistics& lives, const TypeStatistics& type) {
    const bool newest = lives.first_type_serial + lives.count == type.created;
    const bool drained =
        type.ended >= kFewestGrown && in_last_quarter(type.last_ended_at, type.created);
    return newest && drained && type.peak_at_half * 4 >= lives.count &&
           lives.count * 2 >= type.peak_live;
}

}  // namespace

bool is_growth(const LiveStatistics& lives, const TypeStatistics& type, uint64_t buffer_events) {
    if (!grows(lives, type)) return false;
    const bool are_revisited = lives.revisited * 2 >= lives.count;
    return are_revisited || are_old_and_in_use(lives, buffer_events) || are_drawn(lives, type) ||
           wait_in_a_queue(lives, type);
}

// What ended at once, or in turn, was no holder's choice: there the release of the others is
// missing.
bool may_be_growth(const LiveStatistics& lives, uint64_t peers, const TypeStatistics& type) {
    const bool few = peers < 2 * kFewestDropped && lives.count >= 2 * peers;
    const bool in_turn = type.ended >= kFewestDropped && out_of_turn(type) < kInTurn;
    return few && !in_turn && !ended_at_once(type) &&
           in_last_quarter(lives.last_type_serial, type.created) && have_more_and_more(lives, type);
}

}  // namespace lastref
