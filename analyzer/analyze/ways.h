// Ways that lives of one type went, as places of the source: the input of blame.
//
// A way is a signature with its stacks made call paths, its operations counted. Made once for each
// type that has something to blame, after the last event.
#ifndef LASTREF_ANALYZER_ANALYZE_WAYS_H
#define LASTREF_ANALYZER_ANALYZE_WAYS_H

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/buffer_life.h"
#include "analyze/call_paths.h"
#include "analyze/plumbing.h"

namespace lastref {

// An operation that changes a count, or ends a life, with how often one life did it.
struct Use {
    trace::Op op = trace::Op::kInvalid;
    PathId path = 0;
    Place site = Plumbing::kNoPlace;
    uint32_t times = 0;
    size_t telling = 0;  // index of the site among the path's places
};
using Bag = std::vector<Use>;  // each (op, path) once

struct Way {
    PathId created = 0;
    Place created_site = Plumbing::kNoPlace;
    Bag bag;
    std::vector<std::pair<uint64_t, uint32_t>> sites;  // sorted: operation and site, how often
    std::vector<std::pair<Place, uint32_t>> touches;   // sorted: place, hint
    uint64_t lives = 0;
    const Signature* signature = nullptr;  // of ended lives

    // How often lives of this way did `op` at `site`.
    uint32_t times(trace::Op op, Place site) const;
};

// Lives that did not end well, of one class: where they were made and what they did.
struct RunningLives {
    uint32_t created_stack;
    const SiteCounts* sites;
};

class TypeWays {
public:
    // Ended lives are read from `origins`. `running` are further lives whose stacks count for
    // learning plumbing: leaked and misused ones. They need to be there for the constructor only.
    TypeWays(CallPaths& paths, const Origins& origins, uint32_t type,
             const std::vector<RunningLives>& running);
    TypeWays(const TypeWays&) = delete;
    TypeWays& operator=(const TypeWays&) = delete;

    // Only the touches of `records` are used; their order does not matter.
    Way make(uint32_t created_stack, const SiteCounts& sites,
             const std::vector<HistoryRecord>& records) const;

    Use use(trace::Op op, PathId path, uint32_t times) const;
    PathId path_of(uint32_t stack) const { return paths_.of(stack); }
    const std::vector<Way>& ended() const { return ended_; }      // most lives first
    const std::vector<Way>& running() const { return running_; }  // one for each class of them
    const Plumbing& plumbing() const { return *plumbing_; }
    const CallPaths& paths() const { return paths_; }
    // Frames from the innermost on that two paths have in common, and from the outermost on.
    size_t common_inside(PathId a, PathId b) const;
    size_t common_outside(PathId a, PathId b) const;

private:
    static constexpr size_t kMostEndedOfSite = 256;

    CallPaths& paths_;
    std::unique_ptr<Plumbing> plumbing_;
    // Plumbing's answer for each operation and path: each life asks for it, and it is found by
    // name.
    mutable std::unordered_map<uint64_t, size_t> telling_;
    std::vector<Way> ended_;
    std::vector<Way> running_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_WAYS_H
