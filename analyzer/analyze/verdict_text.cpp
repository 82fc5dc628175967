#include "analyze/verdict_text.h"

#include <map>

namespace lastref {
namespace {

using trace::Op;

std::string of(uint64_t part, uint64_t whole) {
    return std::to_string(part) + " of " + std::to_string(whole);
}

std::string times(uint32_t count) {
    if (count == 1) return "once";
    if (count == 2) return "twice";
    return std::to_string(count) + " times";
}

// How many lives did it how often.
struct Counts {
    std::map<uint32_t, uint64_t> lives;  // by times
    uint64_t all = 0;

    void add(uint32_t count, uint64_t more) {
        lives[count] += more;
        all += more;
    }
    uint64_t at_least(uint32_t count) const {
        uint64_t sum = 0;
        for (auto at = lives.lower_bound(count); at != lives.end(); ++at) sum += at->second;
        return sum;
    }
    uint32_t usual() const {
        uint32_t most = 0;
        uint64_t best = 0;
        for (const auto& [count, number] : lives) {
            if (number > best) {
                best = number;
                most = count;
            }
        }
        return most;
    }
};

Counts among_faulty(const Suspect& suspect, const FaultyWays& faulty, const Blame& blame) {
    Counts counts;
    for (const auto& [way, lives] : faulty.ways) counts.add(blame.times(way, suspect), lives);
    return counts;
}

Counts among_peers(const Suspect& suspect, const FaultyWays& faulty, const Blame& blame) {
    Counts counts;
    for (const Way* const peer : blame.peers_of(faulty.ways.front().first.created_site)) {
        counts.add(blame.times(*peer, suspect), peer->lives);
    }
    return counts;
}

// 'retained twice here in 3 of 3 leaked buffers, once in 90 of 100 freed ones'
std::string surplus(const char* did, const Suspect& suspect, const FaultyWays& faulty,
                    const Blame& blame, const char* these) {
    const Counts bad = among_faulty(suspect, faulty, blame);
    const Counts good = among_peers(suspect, faulty, blame);
    uint32_t usual = bad.usual();
    if (usual == 0) usual = 1;
    std::string text = std::string(did) + ' ' + times(usual) + " here in " +
                       of(bad.at_least(usual), bad.all) + ' ' + these + ", ";
    if (good.all == 0) return text + "none that was made here ended well";
    const uint32_t other = good.usual();
    if (other != 0 && other < usual) {
        return text + times(other) + " in " +
               of(good.at_least(other) - good.at_least(usual), good.all) + " freed ones";
    }
    return text + "in " + of(good.at_least(usual), good.all) + " freed ones";
}

std::string deficit(const char* did, const Suspect& suspect, const FaultyWays& faulty,
                    const Blame& blame, const char* these) {
    const Counts bad = among_faulty(suspect, faulty, blame);
    const Counts good = among_peers(suspect, faulty, blame);
    const uint32_t lacking = bad.usual();
    const uint32_t needed = lacking + 1;
    std::string text = did;
    if (needed != 1) text += ' ' + times(needed);
    return text + " here in " + of(good.at_least(needed), good.all) + " freed buffers, in " +
           of(bad.at_least(needed), bad.all) + ' ' + these;
}

}  // namespace

std::string explain_leak(const Suspect& suspect, const Verdict& verdict, const FaultyWays& faulty,
                         const Blame& blame) {
    std::string elsewhere;
    if (verdict.level == PeerLevel::kType) {
        elsewhere = "; none made here was freed, only " + std::to_string(verdict.peers) +
                    " of the type made elsewhere";
    }
    switch (suspect.cause) {
        case Cause::kExtraRetain:
            if (verdict.level != PeerLevel::kSite) {
                const Counts bad = among_faulty(suspect, faulty, blame);
                const uint32_t usual = std::max<uint32_t>(bad.usual(), 1);
                return "retained " + times(usual) + " here in " + of(bad.at_least(usual), bad.all) +
                       " leaked buffers, with fewer releases" +
                       (elsewhere.empty() ? "; none made here was freed" : elsewhere);
            }
            return surplus("retained", suspect, faulty, blame, "leaked buffers");
        case Cause::kMissingRelease:
            return deficit("released", suspect, faulty, blame, "leaked ones") + elsewhere;
        case Cause::kPoolNotReturned:
            return "taken here by " + std::to_string(faulty.lives) + " buffers and not put back; " +
                   std::to_string(verdict.peers) + " others of the same origin were";
        case Cause::kNeverReleased:
            if (suspect.use.op == Op::kCreate) {
                return "the reference that was made here is not released in any of " +
                       std::to_string(faulty.lives) + " buffers" +
                       (elsewhere.empty() ? "; none made here was freed" : elsewhere);
            }
            return "retained here in " +
                   of(among_faulty(suspect, faulty, blame).at_least(1), faulty.lives) +
                   " leaked buffers without a release that answers it; none made here was freed, "
                   "so the creator's own reference may as well be the one that is kept";
        default:
            return "";
    }
}

std::string explain_over_release(const Suspect& suspect, const Verdict& verdict,
                                 const FaultyWays& faulty, const Blame& blame) {
    if (suspect.absent) {
        return deficit("retained", suspect, faulty, blame, "that were released too often");
    }
    if (verdict.level != PeerLevel::kSite) {
        return "released here in " +
               of(among_faulty(suspect, faulty, blame).at_least(1), faulty.lives) +
               " buffers that were released too often; none made here ended well, so another "
               "release may as well be the one too many";
    }
    return surplus("released", suspect, faulty, blame, "buffers that were released too often");
}

Culprit culprit_of(const Suspect& suspect, const CallPaths& paths, StackNames& names) {
    Culprit culprit;
    culprit.cause = suspect.cause;
    culprit.stack = names.stack(paths.stack(suspect.use.path));
    if (suspect.place != Plumbing::kNoPlace) culprit.frame = paths.frame(suspect.place);
    return culprit;
}

}  // namespace lastref
