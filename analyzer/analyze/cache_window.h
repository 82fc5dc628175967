// How far back the oldest entry of a cache may lie.
#ifndef LASTREF_ANALYZER_ANALYZE_CACHE_WINDOW_H
#define LASTREF_ANALYZER_ANALYZE_CACHE_WINDOW_H

#include <bit>
#include <cstdint>

namespace lastref {

// Among how many that were made last the entries of a cache of `live` lie, whatever it pushes out.
// Where the victim is drawn at random, some live log2(live) times as long as the mean; of a
// thousand caches hardly one has an entry that lives by more than six times the mean longer.
inline uint64_t cache_window(uint64_t live) {
    return live * (6 + static_cast<uint64_t>(std::bit_width(live)));
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_CACHE_WINDOW_H
