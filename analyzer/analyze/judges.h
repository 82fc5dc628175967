// The facts about each type with a fault, computed on first use.
#ifndef LASTREF_ANALYZER_ANALYZE_JUDGES_H
#define LASTREF_ANALYZER_ANALYZE_JUDGES_H

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "analyze/blame.h"
#include "analyze/call_paths.h"
#include "analyze/finding_builder.h"
#include "analyze/leaked_groups.h"
#include "analyze/ways.h"

namespace lastref {

struct Judge {
    TypeWays ways;
    Blame blame;
    std::span<const LeakedClass> leaked;
    uint64_t unseen = 0;  // lives with operations that no hook saw
    bool blind = false;   // they are too many for a verdict

    Judge(CallPaths& paths, const Origins& origins, uint32_t type,
          const std::vector<RunningLives>& running)
        : ways(paths, origins, type, running), blame(ways) {}
};

// Memory that is freed where it always is once the last reference is gone: the count was zero, and
// the releases that said so were not seen.
bool ended_unseen(const Misuse& misuse, const TypeWays& ways, const TypeStatistics& type);

class Judges {
public:
    explicit Judges(FindingBuilder& builder);

    Judge& of(uint32_t type);
    CallPaths& paths() { return paths_; }
    // Types with live buffers, in order.
    std::vector<uint32_t> leaking() const;

private:
    std::span<const LeakedClass> leaked_of(uint32_t type) const;

    FindingBuilder& builder_;
    CallPaths paths_;
    std::vector<LeakedClass> classes_;
    std::map<uint32_t, std::unique_ptr<Judge>> judges_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_JUDGES_H
