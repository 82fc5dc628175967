// Errors that lives show while they are followed: over-release, double free and their like.
//
// Kept as groups of what made the object and what went wrong where, with one example each, so
// that a loop which errs a million times costs one group.
#ifndef LASTREF_ANALYZER_ANALYZE_MISUSE_H
#define LASTREF_ANALYZER_ANALYZE_MISUSE_H

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "analyze/findings.h"
#include "analyze/life_history.h"

namespace lastref {

struct Misuse {
    Kind kind = Kind::kDoubleFree;
    uint32_t type = 0;  // string id; 0 for heap blocks
    uint32_t created_stack = 0;
    uint32_t stack = 0;   // of the event that is wrong
    uint32_t detail = 0;  // allocation failures: the call
    uint64_t used = 0;    // the same: bytes of heap and mappings that were live
    uint64_t count = 0;
    uint64_t bytes = 0;
    int64_t count_min = 0, count_max = 0;
    uint64_t address = 0;  // of the example, as the rest
    uint64_t size = 0;
    std::vector<HistoryRecord> history;  // oldest first, the wrong event last
    uint64_t left_out = 0;
};

class MisuseLog {
public:
    // Counts `misuse` (count 1) into its group. The first of a group becomes the example; its
    // history is asked for only then.
    template <typename MakeHistory>
    void add(const Misuse& misuse, MakeHistory&& history) {
        const Key key{misuse.kind, misuse.type, misuse.created_stack, misuse.stack, misuse.detail};
        const auto [at, fresh] = groups_.try_emplace(key, misuse);
        Misuse& group = at->second;
        if (fresh) {
            group.count = 1;
            group.bytes = misuse.size;
            group.history = history();
            return;
        }
        ++group.count;
        group.bytes += misuse.size;
        group.count_min = std::min(group.count_min, misuse.count_min);
        group.count_max = std::max(group.count_max, misuse.count_max);
    }

    bool empty() const { return groups_.empty(); }
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const auto& [key, group] : groups_) visit(group);
    }

private:
    using Key = std::tuple<Kind, uint32_t, uint32_t, uint32_t, uint32_t>;
    std::map<Key, Misuse> groups_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MISUSE_H
