// Which frames of a stack are plumbing: functions that step a counter and mean nothing by it.
//
// A buffer is retained by Buf::retain, called by RefPtr's constructor, called by the code that
// wants to hold it: only the last is worth reporting. Plumbing is learned for each type: a function
// through which nearly all retains (or all releases) pass before they reach their various callers,
// and that does nothing else to a buffer. Where a program has one caller only, names have to do:
// the usual ones (retain, unref, intrusive_ptr_release), and methods of the class whose other half
// was learned.
#ifndef LASTREF_ANALYZER_ANALYZE_PLUMBING_H
#define LASTREF_ANALYZER_ANALYZE_PLUMBING_H

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "analyze/call_paths.h"
#include "trace_format.h"

namespace lastref {

// True for the names of functions that only step a counter, in the ways of C++ and C.
bool is_counting_name(const std::string& bare_function);
// True for the names of functions that give memory back for whoever calls them.
bool is_freeing_name(const std::string& bare_function);
// True for the names of functions that make something for whoever calls them.
bool is_factory_name(const std::string& bare_function);

class Plumbing {
public:
    struct Use {
        trace::Op op;
        PathId path;
        uint64_t lives;
    };
    // Learns from all uses of one type. `paths` must outlive this.
    Plumbing(const CallPaths& paths, std::span<const Use> uses);

    // Index of the first significant frame of a path; of the innermost one if all is plumbing.
    size_t telling(trace::Op op, PathId path) const;
    // The place of the operation: that frame's. kNoPlace where there is no stack.
    static constexpr Place kNoPlace = UINT32_MAX;
    Place site(trace::Op op, PathId path) const;

    bool is_plumbing(trace::Op op, Place place) const;

private:
    using Cuts = std::map<PathId, size_t>;

    void learn(trace::Op op, std::span<const Use> uses);
    void learn_by_class(trace::Op op, std::span<const Use> uses);
    uint32_t caller(trace::Op op, Place place) const;
    bool in_class(Place place) const;
    bool has_purpose(trace::Op op, uint32_t function, std::span<const Use> uses) const;
    size_t skip(trace::Op op, PathId path) const;
    size_t factory_around(PathId path, size_t at) const;

    const CallPaths& paths_;
    std::set<std::pair<trace::Op, uint32_t>> learned_;  // functions
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_PLUMBING_H
