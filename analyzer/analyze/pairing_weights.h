// The weights of pairing.cpp, from 0 to 1 unless said otherwise. They have no source but
// tests/blame: chosen so that the benchmark's programs get the right culprit (doc/blame.md). Change
// one only with the benchmark's shares before and after.
#ifndef LASTREF_ANALYZER_ANALYZE_PAIRING_WEIGHTS_H
#define LASTREF_ANALYZER_ANALYZE_PAIRING_WEIGHTS_H

namespace lastref::pairing {

// How far two lives are apart; an operation that only one of them has counts 1.
inline constexpr double kMoved = 0.02, kMostMoved = 0.5;    // the same place by another path
inline constexpr double kTouched = 0.25, kMostTouched = 1;  // a place that only one touches it at
inline constexpr double kCreatedByOtherPath = 0.1;          // at least
inline constexpr double kCreatedApart = 0.2;      // times the share of the path that differs
inline constexpr double kCreatedElsewhere = 0.7;  // at another place

// How strongly a difference is suspected: what nothing explains, less by what could have; and what
// something explains badly.
inline constexpr double kHalfExplained = 0.5;
inline constexpr double kBadlyExplained = 0.3;
// Where the maker's own reference is left over: a holder that is this little less likely is
// preferred.
inline constexpr double kNearlyAsGood = 0.1;

// Whether two places are related, by code: the same function is 1, less for each frame between.
inline constexpr double kSameClass = 0.7, kSameFile = 0.3;
inline constexpr double kFrameBetween = 0.15;
inline constexpr double kReleasedByCaller = 0.3;  // less: callers seldom release for their callee
// And by how far in the ways of calls to them go together.
inline constexpr double kCode = 0.75, kCalls = 0.25;

// Whether a release answers a retain: what clean lives say, and what code says.
inline constexpr double kLearned = 0.5, kRelated = 0.5;
inline constexpr double kNothingLearned = 0.3;  // where no clean life does either
// A maker owes a release: any may be it, at least so likely.
inline constexpr double kMakersDue = 0.45;
// Whether one life does an operation in the place of what another does.
inline constexpr double kReplaces = 0.6;

}  // namespace lastref::pairing

#endif  // LASTREF_ANALYZER_ANALYZE_PAIRING_WEIGHTS_H
