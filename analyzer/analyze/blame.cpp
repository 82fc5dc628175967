#include "analyze/blame.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

namespace lastref {
namespace {

using trace::Op;

constexpr size_t kMostSuspects = 8;

// Last parts of function names that only step a counter, in lower case without underscores.
constexpr std::array<std::string_view, 27> kWrappers = {
    "retain",
    "release",
    "ref",
    "unref",
    "addref",
    "deref",
    "decref",
    "incref",
    "xincref",
    "xdecref",
    "acquire",
    "get",
    "put",
    "drop",
    "grab",
    "refinc",
    "refdec",
    "increment",
    "decrement",
    "intrusiveptraddref",
    "intrusiveptrrelease",
    "touch",
    "reset",
    "sprelease",
    "refcountinc",
    "refcountdec",
    "swap",
};

bool is_wrapper(const Frame& frame) {
    std::string_view name = frame.function;
    name = name.substr(0, name.find('('));
    // Destructors and special members of smart pointers are as little telling as release().
    if (name.find("intrusive_ptr<") != std::string_view::npos ||
        name.find("shared_ptr<") != std::string_view::npos || name.starts_with("std::") ||
        name.starts_with("boost::")) {
        return true;
    }
    if (const size_t scope = name.rfind("::"); scope != std::string_view::npos) {
        name = name.substr(scope + 2);
    }
    std::string plain;
    for (const char c : name) {
        if (c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (std::find(kWrappers.begin(), kWrappers.end(), plain) != kWrappers.end()) return true;
    // C libraries put their prefix first: gst_buffer_ref, av_buffer_unref.
    const std::string_view whole = name;
    const size_t underscore = whole.rfind('_');
    if (underscore == std::string_view::npos) return false;
    const std::string_view last = whole.substr(underscore + 1);
    return last == "ref" || last == "unref" || last == "retain" || last == "release" ||
           last == "incref" || last == "decref" || last == "addref";
}

std::string of(uint64_t part, uint64_t whole) {
    return std::to_string(part) + " of " + std::to_string(whole);
}

std::string times(size_t count) {
    if (count == 1) return "once";
    if (count == 2) return "twice";
    if (count >= SiteStatistics::kMost) return std::to_string(count) + " times or more";
    return std::to_string(count) + " times";
}

// How sure it is that all of n do it and none of m: never 1, as one more life could differ.
double certainty(uint64_t leaked_with, uint64_t leaked, uint64_t ended_with, uint64_t ended) {
    const double in_leaked =
        (static_cast<double>(leaked_with) + 0.5) / (static_cast<double>(leaked) + 1);
    const double in_ended =
        (static_cast<double>(ended_with) + 0.5) / (static_cast<double>(ended) + 1);
    return std::clamp(in_leaked * (1 - in_ended), 0.0, 1.0);
}

double mean(const SiteStatistics& statistics, uint64_t site) {
    if (statistics.lives() == 0) return 0;
    return static_cast<double>(statistics.site(site).total) /
           static_cast<double>(statistics.lives());
}

Culprit accuse(Cause cause, uint32_t stack, StackNames& names) {
    Culprit culprit;
    culprit.cause = cause;
    culprit.stack = names.stack(stack);
    culprit.frame = telling_frame(culprit.stack);
    return culprit;
}

std::vector<uint64_t> sites_of(Op op, const SiteStatistics& a, const SiteStatistics& b) {
    std::vector<uint64_t> sites;
    for (const auto& [site, entry] : a.sites()) {
        if (site_op(site) == op) sites.push_back(site);
    }
    for (const auto& [site, entry] : b.sites()) {
        if (site_op(site) == op && !a.sites().contains(site)) sites.push_back(site);
    }
    std::sort(sites.begin(), sites.end());
    return sites;
}

bool same_line(const Frame& a, const Frame& b) {
    return a.function == b.function && a.file == b.file && a.line == b.line &&
           (a.line != 0 || a.offset == b.offset);
}

// 'here', as the numbers of a site go: they are those of one call stack. Where the same line is
// reached by other stacks too, that has to be said.
std::string here(uint64_t site, const SiteStatistics& leaked, const SiteStatistics& ended,
                 StackNames& names) {
    constexpr size_t kMostSites = 512;
    const std::vector<uint64_t> sites = sites_of(site_op(site), leaked, ended);
    const Frame frame = telling_frame(names.stack(site_stack(site)));
    const bool shared = sites.size() > kMostSites ||
                        std::any_of(sites.begin(), sites.end(), [&](uint64_t other) {
                            return other != site &&
                                   same_line(telling_frame(names.stack(site_stack(other))), frame);
                        });
    return shared ? "here by this way of calls" : "here";
}

// A retain that leaked lives did more often than ended ones.
Culprit extra_retain(uint64_t site, const SiteStatistics& leaked, const SiteStatistics& ended,
                     StackNames& names) {
    size_t best = 1;
    double best_score = -1;
    for (size_t n = 1; n <= SiteStatistics::kMost; ++n) {
        const double score = certainty(leaked.site(site).lives_with_at_least(n), leaked.lives(),
                                       ended.site(site).lives_with_at_least(n), ended.lives());
        if (score > best_score) {
            best = n;
            best_score = score;
        }
    }
    Culprit culprit = accuse(Cause::kExtraRetain, site_stack(site), names);
    culprit.confidence = best_score;
    culprit.explanation =
        "retained " + times(best) + ' ' + here(site, leaked, ended, names) + " in " +
        of(leaked.site(site).lives_with_at_least(best), leaked.lives()) + " leaked buffers, in " +
        of(ended.site(site).lives_with_at_least(best), ended.lives()) + " freed ones";
    return culprit;
}

// A release that ended lives had and leaked ones lack.
Culprit missing_release(uint64_t site, const SiteStatistics& leaked, const SiteStatistics& ended,
                        StackNames& names) {
    const uint64_t with = ended.site(site).lives_with_at_least(1);
    const uint64_t leaked_with = leaked.site(site).lives_with_at_least(1);
    Culprit culprit = accuse(Cause::kMissingRelease, site_stack(site), names);
    culprit.confidence = 0.9 * certainty(with, ended.lives(), leaked_with, leaked.lives());
    culprit.explanation = "released " + here(site, leaked, ended, names) + " in " +
                          of(with, ended.lives()) + " freed buffers, in " +
                          of(leaked_with, leaked.lives()) + " leaked ones";
    return culprit;
}

// The best first, each line once.
void rank(std::vector<Culprit>& suspects) {
    std::stable_sort(suspects.begin(), suspects.end(), [](const Culprit& a, const Culprit& b) {
        return a.confidence > b.confidence;
    });
    std::vector<Culprit> distinct;
    for (Culprit& suspect : suspects) {
        const bool listed =
            std::any_of(distinct.begin(), distinct.end(), [&suspect](const Culprit& other) {
                return other.cause == suspect.cause && same_line(other.frame, suspect.frame);
            });
        if (!listed) distinct.push_back(std::move(suspect));
    }
    suspects = std::move(distinct);
    if (suspects.size() > kMostSuspects) suspects.resize(kMostSuspects);
}

Blame with_peers(const SiteStatistics& leaked, const SiteStatistics& ended, StackNames& names) {
    // Leaked lives may also take another way through the program, whose own retains and releases
    // balance. So what counts is the surplus of retains over the releases that came with them.
    double more_retains = 0, more_releases = 0, fewer_releases = 0;
    Blame blame;
    for (const uint64_t site : sites_of(Op::kRetain, leaked, ended)) {
        const double excess = mean(leaked, site) - mean(ended, site);
        if (excess <= 0.01) continue;
        more_retains += excess;
        blame.suspects.push_back(extra_retain(site, leaked, ended, names));
    }
    for (const Op op : {Op::kRelease, Op::kDestroy}) {
        for (const uint64_t site : sites_of(op, leaked, ended)) {
            const double excess = mean(leaked, site) - mean(ended, site);
            if (excess > 0) more_releases += excess;
            if (excess >= -0.01) continue;
            fewer_releases -= excess;
            blame.suspects.push_back(missing_release(site, leaked, ended, names));
        }
    }
    const bool retains = more_retains - more_releases >= 0.5;
    const bool releases = fewer_releases >= 0.5;
    for (Culprit& suspect : blame.suspects) {
        const bool is_retain = suspect.cause == Cause::kExtraRetain;
        if (is_retain ? !retains : !releases) suspect.confidence *= 0.3;
        suspect.ambiguous = retains && releases;
        // Both at once: the two explain each other only in part.
        if (suspect.ambiguous) suspect.confidence *= is_retain ? 0.8 : 0.7;
    }
    rank(blame.suspects);
    if (!blame.suspects.empty() && blame.suspects.front().confidence >= 0.4) {
        blame.culprit = blame.suspects.front();
    }
    return blame;
}

// The function, or for a method its class: a holder usually releases what it retained.
std::string holder(const Frame& frame) {
    const std::string name = frame.function.substr(0, frame.function.find('('));
    const size_t scope = name.rfind("::");
    return scope == std::string::npos ? name : name.substr(0, scope);
}

Blame without_peers(const SiteStatistics& leaked, uint32_t created_stack, StackNames& names) {
    Blame blame;
    const std::vector<uint64_t> retains = sites_of(Op::kRetain, leaked, {});
    const std::vector<uint64_t> releases = sites_of(Op::kRelease, leaked, {});
    if (retains.empty()) {
        Culprit never = accuse(Cause::kNeverReleased, created_stack, names);
        never.ambiguous = true;
        never.confidence = 0.5;
        never.explanation = "the reference that was made here is never released in any of " +
                            std::to_string(leaked.lives()) + " buffers; none made here was freed";
        if (!never.stack.empty()) {
            blame.suspects.push_back(never);
            blame.culprit = std::move(never);
        }
        return blame;
    }

    std::map<std::string, double> releases_by;  // per life, by holder
    for (const uint64_t site : releases) {
        releases_by[holder(telling_frame(names.stack(site_stack(site))))] += mean(leaked, site);
    }
    std::map<std::string, double> retains_in;  // per life, by function
    for (const uint64_t site : retains) {
        retains_in[telling_frame(names.stack(site_stack(site))).function] += mean(leaked, site);
    }
    size_t unmatched = 0;
    for (const uint64_t site : retains) {
        Culprit suspect = accuse(Cause::kExtraRetain, site_stack(site), names);
        suspect.ambiguous = true;
        const double here = retains_in[suspect.frame.function];
        const double released = releases_by[holder(suspect.frame)];
        const uint64_t lives = leaked.site(site).lives_with_at_least(1);
        suspect.explanation = "retained here in " + of(lives, leaked.lives()) +
                              " leaked buffers; none of this origin was freed, so the creator's "
                              "own reference may as well be the one that is kept";
        if (here >= 1.5 && released < here - 0.5) {
            suspect.confidence = 0.6;
            suspect.explanation = "retained " + times(static_cast<size_t>(std::lround(here))) +
                                  " in this function per leaked buffer; " + suspect.explanation;
            ++unmatched;
        } else if (released < 0.5) {
            suspect.confidence = 0.5;
            ++unmatched;
        } else {
            suspect.confidence = 0.2;
        }
        blame.suspects.push_back(std::move(suspect));
    }
    rank(blame.suspects);
    // One that stands out is named; several alike are only listed.
    const std::vector<Culprit>& ranked = blame.suspects;
    const bool stands_out = ranked.size() == 1 || ranked[0].confidence > ranked[1].confidence ||
                            ranked[0].frame.function == ranked[1].frame.function;
    if (unmatched != 0 && stands_out) blame.culprit = ranked.front();
    return blame;
}

}  // namespace

Frame telling_frame(const Stack& stack) {
    for (const Frame& frame : stack) {
        if (!is_wrapper(frame)) return frame;
    }
    return stack.empty() ? Frame{} : stack.front();
}

Blame blame_leak(const SiteStatistics& leaked, const SiteStatistics& ended, uint32_t created_stack,
                 StackNames& names) {
    return ended.lives() != 0 ? with_peers(leaked, ended, names)
                              : without_peers(leaked, created_stack, names);
}

}  // namespace lastref
