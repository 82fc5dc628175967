// Verdicts in words and numbers, and as culprits of a finding.
#ifndef LASTREF_ANALYZER_ANALYZE_VERDICT_TEXT_H
#define LASTREF_ANALYZER_ANALYZE_VERDICT_TEXT_H

#include <string>
#include <vector>

#include "analyze/blame.h"
#include "analyze/findings.h"
#include "analyze/stack_names.h"

namespace lastref {

// Faulty lives that a verdict is about.
struct FaultyWays {
    std::vector<std::pair<Way, uint64_t>> ways;  // with the number of their lives
    uint64_t lives = 0;
};

// One sentence with numbers, of a leak.
std::string explain_leak(const Suspect& suspect, const Verdict& verdict, const FaultyWays& faulty,
                         const Blame& blame);
// The same of a release too many.
std::string explain_over_release(const Suspect& suspect, const Verdict& verdict,
                                 const FaultyWays& faulty, const Blame& blame);

// Frame and stack of a suspect; no explanation yet.
Culprit culprit_of(const Suspect& suspect, const CallPaths& paths, StackNames& names);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_VERDICT_TEXT_H
