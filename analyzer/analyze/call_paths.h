// Stacks as sequences of places in the source: what blame compares.
//
// Two stacks that differ in addresses only (an unrolled loop, two copies of an inlined function)
// are one path. Places and paths are numbered as they come; their numbers mean nothing outside.
#ifndef LASTREF_ANALYZER_ANALYZE_CALL_PATHS_H
#define LASTREF_ANALYZER_ANALYZE_CALL_PATHS_H

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/stack_names.h"

namespace lastref {

using Place = uint32_t;  // a line of a function; where lines are unknown, an address of a module
using PathId = uint32_t;

class CallPaths {
public:
    // `names` must outlive this.
    explicit CallPaths(StackNames& names) : names_(names) {}

    PathId of(uint32_t stack);

    // From the innermost frame outwards; empty where no stack was recorded.
    const std::vector<Place>& places(PathId path) const { return paths_[path].places; }
    // One of the stacks of a path.
    uint32_t stack(PathId path) const { return paths_[path].stack; }

    const Frame& frame(Place place) const { return places_[place].frame; }
    // Numbers of what holds a place: the function, and the class (the file, for plain functions).
    uint32_t function(Place place) const { return places_[place].function; }
    uint32_t scope(Place place) const { return places_[place].scope; }
    const std::string& function_name(uint32_t function) const { return texts_[function]; }

private:
    struct PlaceEntry {
        Frame frame;
        uint32_t function = 0;
        uint32_t scope = 0;
    };
    struct Path {
        std::vector<Place> places;
        uint32_t stack = 0;
    };

    Place place_of(const Frame& frame);
    uint32_t number_of(const std::string& text);

    StackNames& names_;
    std::unordered_map<uint32_t, PathId> by_stack_;
    std::map<std::vector<Place>, PathId> by_places_;
    std::vector<Path> paths_;
    std::unordered_map<std::string, Place> by_source_;
    std::vector<PlaceEntry> places_;
    std::unordered_map<std::string, uint32_t> by_text_;
    std::vector<std::string> texts_;
};

// A function's name without its parameters, and the class or namespace that it is in ("" if none).
std::string bare_function(const std::string& function);
std::string scope_of(const std::string& bare_function);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_CALL_PATHS_H
