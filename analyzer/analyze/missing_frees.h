// Leaked heap blocks beside those that were made at the same place and freed: which free is
// missing.
//
// A block's life has two events, so the place where its peers are freed is all that can be
// reported: 'blocks made here are normally freed at X'. No accusation is made where nothing speaks
// for a fault: where the live blocks are the newest of their place, as a cache keeps them, or no
// older than peers that were freed in the end (memory_groups.cpp), or do not lie evenly among all
// that were made (rank_test.h). Nor where the program keeps blocks of many places to its end:
// compilers, git and interpreters leave it to the kernel to give everything back, and what they
// keep of a place of which they freed some looks forgotten.
#ifndef LASTREF_ANALYZER_ANALYZE_MISSING_FREES_H
#define LASTREF_ANALYZER_ANALYZE_MISSING_FREES_H

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "analyze/call_paths.h"
#include "analyze/findings.h"
#include "analyze/heap.h"
#include "analyze/memory_groups.h"
#include "analyze/plumbing.h"

namespace lastref {

class MissingFrees {
public:
    // All but `places` must outlive this. Only the first of `places`, which are the biggest, are
    // compared.
    MissingFrees(const Heap& heap, CallPaths& paths, StackNames& names,
                 const std::vector<MemoryGroup>& places);

    // Fills in culprit and suspects, or why there is none.
    void judge(const MemoryGroup& place, Finding& finding);

private:
    struct Freed {
        PathId path = 0;
        uint64_t count = 0;
    };
    // The blocks that are made at one site, over all ways to it.
    struct Made {
        uint64_t live = 0, forgotten = 0, ended = 0;
        RankTest ranks;                             // of those that live
        std::unordered_map<Place, uint64_t> freed;  // by the site that frees
    };

    std::vector<Freed> freed_by(const MemoryGroup& place) const;
    std::string why_kept(const MemoryGroup& place, const Made& made) const;
    static double confidence(const MemoryGroup& place, uint64_t freed);
    Culprit suspect(const MemoryGroup& place, const Freed& freed, uint64_t all);
    bool are_freed_at_one_place(const std::vector<Freed>& freed, const Made& made) const;
    bool may_be_kept(const MemoryGroup& place) const;
    Place made_at(const MemoryGroup& place) const;

    CallPaths& paths_;
    StackNames& names_;
    std::unordered_map<uint32_t, std::vector<Freed>> freed_;  // by stack that made them
    std::unique_ptr<Plumbing> plumbing_;
    std::unordered_map<Place, Made> made_;  // by site
    uint64_t kept_places_ = 0;              // with live blocks that do not look forgotten
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_MISSING_FREES_H
