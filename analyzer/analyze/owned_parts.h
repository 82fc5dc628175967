// Which types of buffers own others: what they let go of when they end.
//
// Learned from clean lives: a release that follows the end of another buffer, on the same thread
// and inside the call that ended it (consequences.h), is of something that this one held.
#ifndef LASTREF_ANALYZER_ANALYZE_OWNED_PARTS_H
#define LASTREF_ANALYZER_ANALYZE_OWNED_PARTS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "analyze/judges.h"
#include "analyze/leak_group.h"

namespace lastref {

// How one type of buffer lets go of another when it ends.
struct Owning {
    uint32_t owner = 0;
    uint32_t part = 0;
    std::set<Place> sites;         // of the parts' releases
    std::vector<PathId> releases;  // of parts
    uint64_t most_parts = 1;       // that one owner lets go of
};

// The innermost function that both paths pass in one call: its index in each. A path has the
// innermost frame first.
std::optional<std::pair<size_t, size_t>> common_call(const TypeWays& ways, PathId a, PathId b);

// Owners and parts among `types`.
std::vector<Owning> learn_owning(Judges& judges, const Consequences& consequences,
                                 const std::set<uint32_t>& types);

// In a sample the end of an owner and the release of one of its parts are hardly ever both there:
// that the calls fit each other has to do. Parts are looked for among `groups`.
std::vector<Owning> learn_owning_from_sample(Judges& judges, const Buffers& buffers,
                                             const std::vector<LeakGroup>& groups);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_OWNED_PARTS_H
