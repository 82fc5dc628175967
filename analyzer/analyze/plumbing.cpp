#include "analyze/plumbing.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

namespace lastref {
namespace {

using trace::Op;

constexpr std::array kLearned = {Op::kCreate, Op::kRetain, Op::kRelease, Op::kDestroy, Op::kFree};
constexpr double kNearlyAll = 0.95;
constexpr size_t kFewestCallers = 2;

// Last parts of function names, in lower case without underscores.
constexpr std::array<std::string_view, 17> kCounting = {"retain",
                                                        "release",
                                                        "ref",
                                                        "unref",
                                                        "addref",
                                                        "deref",
                                                        "decref",
                                                        "incref",
                                                        "xincref",
                                                        "xdecref",
                                                        "refinc",
                                                        "refdec",
                                                        "increment",
                                                        "decrement",
                                                        "sprelease",
                                                        "intrusiveptraddref",
                                                        "intrusiveptrrelease"};

constexpr std::array<std::string_view, 12> kFactories = {
    "create", "alloc",       "allocate",  "make",       "new",        "clone",
    "copy",   "newinstance", "construct", "makeshared", "makeunique", "acquire"};

// The last part of a function's name, in lower case without underscores.
std::string plain_name(std::string_view name) {
    if (const size_t scope = name.rfind("::"); scope != std::string_view::npos) {
        name = name.substr(scope + 2);
    }
    std::string plain;
    for (const char c : name) {
        if (c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return plain;
}

}  // namespace

bool is_factory_name(const std::string& bare) {
    const std::string plain = plain_name(bare);
    if (std::find(kFactories.begin(), kFactories.end(), plain) != kFactories.end()) return true;
    if (bare.starts_with("std::") || bare.starts_with("boost::")) return true;
    if (bare.starts_with("operator new")) return true;
    // C libraries put their prefix first: gst_buffer_new, av_frame_alloc.
    const size_t underscore = bare.rfind('_');
    if (underscore == std::string::npos || underscore == 0) return false;
    const std::string_view first = std::string_view(bare).substr(0, bare.find('_'));
    if (first == "new" || first == "make" || first == "alloc" || first == "create") return true;
    const std::string_view last = std::string_view(bare).substr(underscore + 1);
    return last == "new" || last == "alloc" || last == "create";
}

bool is_freeing_name(const std::string& bare) {
    if (bare.starts_with("std::") || bare.starts_with("__gnu_cxx::") || bare.starts_with("boost::"))
        return true;
    // operator delete and delete[], and the usual wrappers of free.
    const std::string plain = plain_name(bare);
    return plain.starts_with("operator delete") || plain == "free" || plain == "xfree" ||
           plain == "gfree" || plain == "deallocate" || plain == "dealloc";
}

bool is_counting_name(const std::string& bare) {
    std::string_view name = bare;
    // Special members of smart pointers are as insignificant as release().
    if (name.find("intrusive_ptr<") != std::string_view::npos ||
        name.find("shared_ptr<") != std::string_view::npos || name.starts_with("std::") ||
        name.starts_with("boost::")) {
        return true;
    }
    const std::string plain = plain_name(name);
    if (std::find(kCounting.begin(), kCounting.end(), plain) != kCounting.end()) return true;
    // C libraries put their prefix first: gst_buffer_ref, av_buffer_unref.
    const size_t underscore = name.rfind('_');
    if (underscore == std::string_view::npos) return false;
    const std::string_view last = name.substr(underscore + 1);
    return last == "ref" || last == "unref" || last == "retain" || last == "release" ||
           last == "incref" || last == "decref" || last == "addref";
}

Plumbing::Plumbing(const CallPaths& paths, std::span<const Use> uses) : paths_(paths) {
    for (const Op op : kLearned) learn(op, uses);
    for (const Op op : kLearned) learn_by_class(op, uses);
    // Callers of that class's functions were not examined in the first pass.
    for (const Op op : kLearned) learn(op, uses);
}

bool Plumbing::is_plumbing(Op op, Place place) const {
    if (op == Op::kTouch) return false;
    const uint32_t function = paths_.function(place);
    if (learned_.contains({op, function})) return true;
    if (op == Op::kCreate) return is_factory_name(paths_.function_name(function));
    if (op == Op::kFree) return is_freeing_name(paths_.function_name(function));
    return (op == Op::kRetain || op == Op::kRelease) &&
           is_counting_name(paths_.function_name(function));
}

size_t Plumbing::skip(Op op, PathId path) const {
    const std::vector<Place>& places = paths_.places(path);
    size_t at = 0;
    for (;;) {
        while (at < places.size() && is_plumbing(op, places[at])) ++at;
        const size_t factory = op == Op::kCreate ? factory_around(path, at) : at;
        if (factory == at) return at;
        at = factory;
    }
}

// Inner parts of a library's factory are no more significant than the factory: functions without a
// name (a stripped library's own), and such as g_object_new_valist inside of g_object_new. The
// index of the factory's frame, or `at`.
size_t Plumbing::factory_around(PathId path, size_t at) const {
    constexpr size_t kMostParts = 3;
    const std::vector<Place>& places = paths_.places(path);
    const size_t end = std::min(places.size(), at + 1 + kMostParts);
    for (size_t i = at + 1; i < end; ++i) {
        const Frame& factory = paths_.frame(places[i]);
        if (factory.module != paths_.frame(places[at]).module) break;
        if (factory.function.empty() ||
            !is_factory_name(paths_.function_name(paths_.function(places[i]))))
            continue;
        const bool parts =
            std::all_of(places.begin() + static_cast<std::ptrdiff_t>(at),
                        places.begin() + static_cast<std::ptrdiff_t>(i), [&](Place part) {
                            const std::string& function = paths_.frame(part).function;
                            return function.empty() || function.starts_with(factory.function + '_');
                        });
        if (parts) return i;
    }
    return at;
}

size_t Plumbing::telling(Op op, PathId path) const {
    const size_t at = skip(op, path);
    return at < paths_.places(path).size() ? at : 0;
}

Place Plumbing::site(Op op, PathId path) const {
    const std::vector<Place>& places = paths_.places(path);
    return places.empty() ? kNoPlace : places[telling(op, path)];
}

// From the inside out: one function at a time, as long as there is one that nearly all pass.
void Plumbing::learn(Op op, std::span<const Use> uses) {
    constexpr int kMostLayers = 8;
    for (int layer = 0; layer < kMostLayers; ++layer) {
        std::map<uint32_t, uint64_t> passing;            // by function
        std::map<uint32_t, std::set<uint32_t>> callers;  // of it, as functions
        uint64_t all = 0;
        for (const Use& use : uses) {
            if (use.op != op) continue;
            const std::vector<Place>& places = paths_.places(use.path);
            const size_t at = skip(op, use.path);
            if (at >= places.size()) continue;
            all += use.lives;
            const uint32_t function = paths_.function(places[at]);
            passing[function] += use.lives;
            size_t outer = at;
            while (outer < places.size() && paths_.function(places[outer]) == function) ++outer;
            if (outer < places.size()) callers[function].insert(caller(op, places[outer]));
        }
        const auto most =
            std::max_element(passing.begin(), passing.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        if (most == passing.end() ||
            static_cast<double>(most->second) < kNearlyAll * static_cast<double>(all) ||
            callers[most->first].size() < kFewestCallers) {
            return;
        }
        if (has_purpose(op, most->first, uses)) return;
        learned_.insert({op, most->first});
    }
}

// Methods of one class that make buffers by one of its functions are one caller of that: who uses
// a factory is spread.
uint32_t Plumbing::caller(Op op, Place place) const {
    return op == Op::kCreate && in_class(place) ? paths_.scope(place) : paths_.function(place);
}

bool Plumbing::in_class(Place place) const {
    return paths_.function_name(paths_.scope(place)).starts_with("class ");
}

// A function that also uses the buffer, or steps the counter the other way, has a purpose. So has
// one that makes a buffer and hands it to the code of others: it is no factory.
bool Plumbing::has_purpose(Op op, uint32_t function, std::span<const Use> uses) const {
    return std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
        if (use.op == op || use.op == Op::kMove || use.op == Op::kCount) return false;
        const std::vector<Place>& places = paths_.places(use.path);
        const size_t at = skip(use.op, use.path);
        if (at >= places.size()) return false;
        if (paths_.function(places[at]) == function) return true;
        if (op != Op::kCreate) return false;
        return std::any_of(places.begin() + static_cast<std::ptrdiff_t>(at), places.end(),
                           [&](Place place) {
                               return paths_.function(place) == function &&
                                      paths_.scope(place) != paths_.scope(places[at]);
                           });
    });
}

// Buf::hold is the other half of Buf::drop, and Buf::make their beginning, if all uses of that kind
// begin in it, however few call it.
void Plumbing::learn_by_class(Op op, std::span<const Use> uses) {
    std::set<uint32_t> functions;
    Place innermost = kNoPlace;
    for (const Use& use : uses) {
        if (use.op != op || paths_.places(use.path).empty()) continue;
        const size_t at = skip(op, use.path);
        // Code that calls plumbing which is known by now is no further half of it.
        if (at != 0 || at + 1 >= paths_.places(use.path).size()) return;
        innermost = paths_.places(use.path)[at];
        functions.insert(paths_.function(innermost));
    }
    if (functions.size() != 1) return;
    for (const Use& use : uses) {
        if (use.op == op || paths_.places(use.path).empty()) continue;
        const Place place = paths_.places(use.path).front();
        // A file that holds a factory and its users is no class.
        if (use.op == Op::kCreate && !in_class(place)) continue;
        if (is_plumbing(use.op, place) && paths_.scope(place) == paths_.scope(innermost)) {
            learned_.insert({op, *functions.begin()});
            return;
        }
    }
}

}  // namespace lastref
