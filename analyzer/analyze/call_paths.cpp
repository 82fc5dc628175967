#include "analyze/call_paths.h"

namespace lastref {

std::string bare_function(const std::string& function) {
    // The parameters begin at a bracket that is in no template's arguments. '(anonymous namespace)'
    // and operator() have brackets of their own.
    int depth = 0;
    for (size_t i = 1; i < function.size(); ++i) {
        if (function[i] == '<') ++depth;
        if (function[i] == '>' && function[i - 1] != '-' && depth > 0) --depth;
        if (depth != 0 || function[i] != '(') continue;
        if (function.compare(i, 20, "(anonymous namespace") == 0) continue;
        if (i >= 8 && function.compare(i - 8, 8, "operator") == 0) continue;
        return function.substr(0, i);
    }
    return function;
}

std::string scope_of(const std::string& bare) {
    int depth = 0;
    for (size_t i = bare.size(); i-- > 1;) {
        if (bare[i] == '>') ++depth;
        if (bare[i] == '<' && depth > 0) --depth;
        if (depth == 0 && bare[i] == ':' && bare[i - 1] == ':') return bare.substr(0, i - 1);
    }
    return "";
}

uint32_t CallPaths::number_of(const std::string& text) {
    const auto [at, fresh] = by_text_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (fresh) texts_.push_back(text);
    return at->second;
}

Place CallPaths::place_of(const Frame& frame) {
    std::string key = frame.function + '\n';
    if (frame.line != 0) {
        key += frame.file + ':' + std::to_string(frame.line);
    } else {
        key += frame.module + '+' + std::to_string(frame.offset);
    }
    const auto [at, fresh] = by_source_.try_emplace(key, static_cast<Place>(places_.size()));
    if (!fresh) return at->second;
    PlaceEntry entry;
    entry.frame = frame;
    // A function without a name is as good as its address.
    const std::string bare = bare_function(frame.function);
    entry.function = number_of(frame.function.empty() ? key : bare);
    const std::string scope = scope_of(bare);
    entry.scope = number_of(!scope.empty()           ? "class " + scope
                            : !frame.file.empty()    ? "file " + frame.file
                            : frame.function.empty() ? key
                                                     : "module " + frame.module);
    places_.push_back(std::move(entry));
    return at->second;
}

PathId CallPaths::of(uint32_t stack) {
    const auto [at, fresh] = by_stack_.try_emplace(stack, 0);
    if (!fresh) return at->second;
    std::vector<Place> places;
    names_.visit(stack, [&](const Frame& frame) {
        places.push_back(place_of(frame));
        return true;
    });
    const auto [path, is_new] =
        by_places_.try_emplace(std::move(places), static_cast<PathId>(paths_.size()));
    if (is_new) paths_.push_back({path->first, stack});
    at->second = path->second;
    return path->second;
}

}  // namespace lastref
