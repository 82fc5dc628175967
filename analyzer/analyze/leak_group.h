// Live buffers that one verdict is about: one group becomes one finding.
#ifndef LASTREF_ANALYZER_ANALYZE_LEAK_GROUP_H
#define LASTREF_ANALYZER_ANALYZE_LEAK_GROUP_H

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/held.h"
#include "analyze/judges.h"
#include "analyze/verdict_text.h"

namespace lastref {

struct LeakGroup {
    uint32_t type = 0;
    Place created_site = Plumbing::kNoPlace;
    Kind kind = Kind::kRefcountLeak;
    Held held;
    LiveStatistics lives;
    std::vector<const LeakedClass*> classes;
    FaultyWays faulty;
    Verdict verdict;  // of all classes together
    double confidence = 0;
    bool ambiguous = false;
    bool blind = false;  // too many operations of the type are unseen
    // Groups that were joined to this one, because this one keeps them (linked_leaks.h).
    struct Dependant {
        uint32_t type;
        uint64_t count, bytes;
        uint32_t created_stack;
        Cause cause;
    };
    std::vector<Dependant> dependants;
    bool joined = false;     // to another
    std::string cycle_with;  // type of the other half
    std::string unsure;      // why no culprit can be named

    bool has_culprit() const {
        return kind != Kind::kHeld && !blind && unsure.empty() && confidence >= kLeastConfidence &&
               !verdict.suspects.empty();
    }
    bool is_blamed() const {
        return kind == Kind::kRefcountLeak && !blind && !verdict.suspects.empty();
    }
    // `part` leaks because this does: it and its dependants are reported as dependants of this.
    void take_in(LeakGroup& part, Cause cause);
    const LeakedClass& example() const;  // the class of the oldest life
};

// Groups of one type's live buffers: those made at one place and blamed alike are together.
std::vector<LeakGroup> group_leaks(uint32_t type, Judge& judge, const Buffers& buffers,
                                   const TraceFacts& facts);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LEAK_GROUP_H
