#include "analyze/missing_frees.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

#include "analyze/leak_group.h"

namespace lastref {
namespace {

using trace::Op;

constexpr size_t kMostPlaces = 256;
constexpr size_t kMostFreed = 16;  // stacks that free the blocks of one stack
constexpr size_t kMostSuspects = 3;
constexpr double kUsually = 0.9;      // of the peers are freed at one place
constexpr uint64_t kFewestPeers = 4;  // with less, chance looks like a rule
constexpr uint64_t kEnough = 32;      // and with so many it does not
// A program that keeps blocks of more places than this does not clean up at its end. In a hundred
// programs that were examined (git, cc1plus, perl, node, bash, vim) all that were wrongly accused
// keep blocks of 10 to 6000 places; there only blocks of which nearly all are freed are reported.
constexpr uint64_t kMostKeptPlaces = 8;
constexpr uint64_t kFewestOfMany = 16, kFreedOfMany = 32;

std::string place_text(const Frame& frame) {
    std::string text = frame.function;
    if (text.empty()) {
        char digits[16];
        char* const end = std::to_chars(digits, std::end(digits), frame.offset, 16).ptr;
        text = frame.module + "+0x" + std::string(digits, end);
    }
    if (frame.line != 0) {
        text += " (" + frame.file.substr(frame.file.rfind('/') + 1) + ':' +
                std::to_string(frame.line) + ')';
    }
    return text;
}

}  // namespace

MissingFrees::MissingFrees(const Heap& heap, CallPaths& paths, StackNames& names,
                           const std::vector<MemoryGroup>& places)
    : paths_(paths), names_(names) {
    for (const MemoryGroup& place : places) kept_places_ += place.forgotten * 2 < place.count;
    for (size_t i = 0; i < std::min(kMostPlaces, places.size()); ++i) {
        if (places[i].forgotten == 0) continue;
        for (const uint32_t stack : places[i].stacks) freed_.try_emplace(stack);
    }
    std::unordered_map<uint32_t, std::vector<FreePlaces::Pair>> pairs;
    heap.free_places().for_each([&](const FreePlaces::Pair& pair) {
        if (pair.freed != 0 && freed_.contains(pair.made)) pairs[pair.made].push_back(pair);
    });
    std::vector<Plumbing::Use> uses;
    for (auto& [made, some] : pairs) {
        std::sort(some.begin(), some.end(), [](const auto& a, const auto& b) {
            return std::pair(b.count, a.freed) < std::pair(a.count, b.freed);
        });
        if (some.size() > kMostFreed) some.resize(kMostFreed);
        for (const FreePlaces::Pair& pair : some) {
            const PathId path = paths_.of(pair.freed);
            freed_[made].push_back({path, pair.count});
            uses.push_back({Op::kFree, path, pair.count});
            uses.push_back({Op::kCreate, paths_.of(made), pair.count});
        }
    }
    plumbing_ = std::make_unique<Plumbing>(paths_, uses);
    for (size_t i = 0; i < std::min(kMostPlaces, places.size()); ++i) {
        Made& made = made_[made_at(places[i])];
        made.live += places[i].count;
        made.forgotten += places[i].forgotten;
        made.ended += places[i].peers_ended;
        made.ranks.add(places[i].ranks);
        for (const Freed& one : freed_by(places[i])) {
            made.freed[plumbing_->site(Op::kFree, one.path)] += one.count;
        }
    }
}

Place MissingFrees::made_at(const MemoryGroup& place) const {
    return plumbing_->site(Op::kCreate, paths_.of(place.stack));
}

// Most first; paths that free at the same site are one.
std::vector<MissingFrees::Freed> MissingFrees::freed_by(const MemoryGroup& place) const {
    std::vector<Freed> list;
    for (const uint32_t stack : place.stacks) {
        const auto found = freed_.find(stack);
        if (found == freed_.end()) continue;
        for (const Freed& one : found->second) {
            const Place site = plumbing_->site(Op::kFree, one.path);
            const auto same = std::find_if(list.begin(), list.end(), [&](const Freed& known) {
                return plumbing_->site(Op::kFree, known.path) == site;
            });
            if (same != list.end())
                same->count += one.count;
            else if (site != Plumbing::kNoPlace)
                list.push_back(one);
        }
    }
    std::stable_sort(list.begin(), list.end(),
                     [](const Freed& a, const Freed& b) { return a.count > b.count; });
    return list;
}

bool MissingFrees::may_be_kept(const MemoryGroup& place) const {
    return kept_places_ > kMostKeptPlaces &&
           (place.count < kFewestOfMany || place.peers_ended < kFreedOfMany * place.count);
}

// Where several places free, nothing shows which would have freed these blocks. If only few were
// freed, all in one place, that may be chance: blocks made here by other ways must confirm it.
bool MissingFrees::are_freed_at_one_place(const std::vector<Freed>& freed, const Made& made) const {
    uint64_t all = 0, all_made_here = 0;
    for (const Freed& one : freed) all += one.count;
    for (const auto& [site, count] : made.freed) all_made_here += count;
    const auto share = [](uint64_t some, uint64_t of) {
        return static_cast<double>(some) / static_cast<double>(of);
    };
    const uint64_t most = freed.front().count;
    if (most == all && all >= kEnough) return true;
    const uint64_t here = made.freed.at(plumbing_->site(Op::kFree, freed.front().path));
    return share(most, all) >= kUsually && share(here, all_made_here) >= kUsually;
}

// Why blocks of this place may be live for good reasons, after all that was made there; empty where
// none is seen.
std::string MissingFrees::why_kept(const MemoryGroup& place, const Made& made) const {
    const std::string of_all = "of all blocks made here, by whichever way, ";
    if (made.forgotten * 2 < made.live || made.live > made.ended + made.ended / 2) {
        return of_all + std::to_string(made.live) + " live and " + std::to_string(made.ended) +
               " freed, most of those that live may be kept on purpose";
    }
    if (made.ranks.lie_in_front())
        return of_all + "the first are left; they may be kept on purpose";
    if (made.ranks.lie_at_end())
        return of_all + "older ones were freed more often; these may be in use";
    if (may_be_kept(place)) {
        return "the program keeps blocks of " + std::to_string(kept_places_) +
               " other places to its end, so these may be kept on purpose, too";
    }
    return {};
}

// That the free which usually comes is missing, before it is known which one that is.
double MissingFrees::confidence(const MemoryGroup& place, uint64_t freed) {
    const auto leaked = static_cast<double>(place.count), peers = static_cast<double>(freed);
    // One more of either could always differ, as in confidence_of() (blame.h). Blocks that a
    // program keeps on purpose may look the same, as no access to a block is seen: that is not
    // measured.
    constexpr double kSurest = 0.85;
    return kSurest * (static_cast<double>(place.forgotten) / leaked) * (1 - 0.5 / (1 + peers / 2)) *
           (1 - 0.3 / (1 + leaked));
}

Culprit MissingFrees::suspect(const MemoryGroup& place, const Freed& freed, uint64_t all) {
    const Place origin = made_at(place);
    const bool one = place.count == 1;
    Culprit culprit;
    culprit.cause = Cause::kMissingRelease;
    culprit.frame = paths_.frame(plumbing_->site(Op::kFree, freed.path));
    culprit.stack = names_.stack(paths_.stack(freed.path));
    culprit.explanation =
        "blocks made at this place are normally freed here, " + std::to_string(freed.count) +
        " of " + std::to_string(all) + " that were looked at; " +
        (one ? "this one was" : "these " + std::to_string(place.count) + " were") +
        " last seen where " + (one ? "it was" : "they were") + " made" +
        (origin == Plumbing::kNoPlace ? "" : ", in " + place_text(paths_.frame(origin)));
    return culprit;
}

void MissingFrees::judge(const MemoryGroup& place, Finding& finding) {
    const std::string no_culprit = "no culprit is named: ";
    if (place.forgotten * 2 < place.count) {
        if (place.peers_ended != 0 && place.not_forgotten != nullptr)
            finding.reason = no_culprit + place.not_forgotten;
        return;
    }
    const auto all_made = made_.find(made_at(place));
    if (all_made == made_.end()) return;
    const Made& made = all_made->second;
    if (const std::string why = why_kept(place, made); !why.empty()) {
        finding.reason = no_culprit + why;
        return;
    }
    const std::vector<Freed> freed = freed_by(place);
    uint64_t all = 0;
    for (const Freed& one : freed) all += one.count;
    if (all < kFewestPeers) return;

    const double sure = confidence(place, all);
    // Where more are kept than freed, that may be what they are made for.
    const bool ambiguous = made.live > made.ended;
    for (size_t i = 0; i < std::min(kMostSuspects, freed.size()); ++i) {
        Culprit culprit = suspect(place, freed[i], all);
        culprit.confidence = sure * static_cast<double>(freed[i].count) / static_cast<double>(all);
        if (ambiguous) culprit.confidence *= 0.6;
        culprit.ambiguous = ambiguous;
        finding.suspects.push_back(std::move(culprit));
    }
    if (are_freed_at_one_place(freed, made) &&
        finding.suspects.front().confidence >= kLeastConfidence) {
        finding.culprit = finding.suspects.front();
    } else {
        finding.reason = no_culprit + "blocks made here are freed in several places";
    }
}

}  // namespace lastref
