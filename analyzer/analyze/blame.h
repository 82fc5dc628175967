// Which operation is to blame for a life that went wrong, by comparing it with lives that did not.
//
// Several methods are combined. Lives made at the same place that ended are the peers; those that
// differ least are compared operation by operation, and what usual pairs of retain and release do
// not explain is left over (pairing.h). How many peers do the same, or lack the same, weighs each
// candidate: a spectrum over operations and over their absence. Without peers a life's own balance
// has to do, and the answer is ambiguous: an extra retain and an own reference that nobody releases
// leave the same trace.
//
// J. Jones, M. Harrold, 'Empirical evaluation of the Tarantula automatic fault-localization
// technique', and R. Abreu et al., 'On the accuracy of spectrum-based fault localization' (Ochiai),
// describe spectra; the nearest clean run is from M. Renieris, S. Reiss, 'Fault localization with
// nearest neighbor queries'.
#ifndef LASTREF_ANALYZER_ANALYZE_BLAME_H
#define LASTREF_ANALYZER_ANALYZE_BLAME_H

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "analyze/findings.h"
#include "analyze/pairing.h"
#include "analyze/ways.h"

namespace lastref {

// An operation under suspicion, and the significant frame of its stack.
struct Suspect {
    Cause cause = Cause::kUnknown;
    Use use;              // of an absent one: as clean lives do it
    bool absent = false;  // the faulty life lacks it
    size_t frame = 0;     // index into the path's places
    Place place = Plumbing::kNoPlace;
    double score = 0;  // relative to the others of one verdict
};

// How much there was to compare with.
enum class PeerLevel {
    kSite,  // lives made at the same place ended
    kType,  // only others of the type did
    kNone,
};

struct Verdict {
    std::vector<Suspect> suspects;  // best first
    PeerLevel level = PeerLevel::kNone;
    uint64_t peers = 0;   // ended lives that were compared with
    double distance = 0;  // of the nearest
    size_t residual = 1;  // how many operations are at fault at once
    const Way* nearest = nullptr;
};

class Blame {
public:
    // `ways` must outlive this.
    explicit Blame(const TypeWays& ways);

    Verdict judge(const Way& faulty, Fault fault);
    // By its own balance only.
    Verdict judge_alone(const Way& faulty, Fault fault);

    // Lives made at `site` that ended, as ways.
    const std::vector<const Way*>& peers_of(Place site) const;
    // The retain whose reference a life of `way` still has, if `suspect` is to blame: itself, or
    // what the absent release would have answered. None where that is the creation's.
    std::optional<Suspect> kept_reference(const Way& way, const Suspect& suspect);
    // How often a life of `way` did what `suspect` is about.
    uint32_t times(const Way& way, const Suspect& suspect) const;

private:
    // The result of one comparison: the difference, its weight, and the clean way (for a balance,
    // the faulty way itself).
    struct Vote {
        Difference difference;
        double weight;
        const Way* clean;
    };
    std::vector<Vote> nearest(const Way& faulty, Fault fault, const std::vector<const Way*>& peers);
    void rank(Verdict& verdict, const std::vector<Vote>& votes, const Way& faulty, Fault fault,
              const std::vector<const Way*>& peers);
    Suspect suspect_of(const Candidate& candidate, const Way& faulty, Fault fault, PeerLevel level);
    size_t telling_frame(const Candidate& candidate, const Way& faulty);
    double spectrum(const Suspect& suspect, const Way& faulty, const Way& clean,
                    const std::vector<const Way*>& peers);
    const std::map<uint32_t, uint64_t>& lives_by_times(const Suspect& suspect,
                                                       const std::vector<const Way*>& peers);

    const TypeWays& ways_;
    Pairing pairing_;
    // Ended ways, those of the most lives: they stand in where a site has no peers.
    static constexpr size_t kMostOfType = 2048;
    std::vector<const Way*> all_;
    uint64_t ended_lives_ = 0;                        // of all
    std::map<Place, std::vector<const Way*>> peers_;  // ended ways by creation site
    // Paths by which lives that ended did an operation at a site, the first ones.
    static constexpr size_t kMostInnocent = 64;
    std::map<std::pair<trace::Op, Place>, std::vector<PathId>> innocent_;
    // By peers, operation, path and frame: how many of their lives did that how often.
    std::map<std::tuple<const void*, trace::Op, PathId, size_t>, std::map<uint32_t, uint64_t>>
        lives_by_times_;
};

// Below this the answer is 'unknown', with the best suspects.
inline constexpr double kLeastConfidence = 0.4;

// A life's own balance at its best, where the answer is ambiguous. Measured by tests/blame/run
// --each 60 --seed 31337 where everything leaks: all of 220 were right, on programs that the rules
// were made on. Others will fare worse: the measure before those rules was 85 of 100.
inline constexpr double kAlone = 0.8;

// How much speaks for a verdict, 0 to 1, for `lives` faulty lives that agree on it.
double support_of(const Verdict& verdict, uint64_t lives);
// How sure a verdict is, 0 to 1: how often verdicts with such support were right.
double confidence_of(const Verdict& verdict, uint64_t lives);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_BLAME_H
