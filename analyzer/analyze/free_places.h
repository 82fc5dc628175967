// Which stacks free the blocks that a stack makes: one counter per pair of stacks.
//
// A missing free is recognised by the stacks that free the other blocks made at the same place
// (missing_frees.h). If a stack makes many blocks, one in eight is counted; that is one probe of a
// flat table. Bounded: pairs that come when the table is full are not counted.
#ifndef LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H
#define LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lastref {

class FreePlaces {
public:
    struct Pair {
        uint32_t made = 0;          // stack that makes
        uint32_t freed = 0;         // stack that frees; 0 where none was recorded, as of a realloc
        uint64_t count = 0;         // 0: an unused slot
        uint64_t longest_life = 0;  // ticks
    };

    // `serial`: how many blocks its stack had made before. Scattered, so as not to keep step with
    // what the program does.
    static bool looks_at(uint64_t serial) {
        constexpr uint64_t kAll = 64;
        return serial < kAll || serial * 0x9e3779b97f4a7c15u >> 61 == 0;
    }

    void count(uint32_t made, uint32_t freed, uint64_t life) {
        if (used_ == kMost && !is_maker(made)) return;
        for (size_t slot = slot_of(made, freed);; slot = (slot + 1) & (pairs_.size() - 1)) {
            Pair& pair = pairs_[slot];
            if (pair.count == 0) [[unlikely]]
                return add(made, freed, life);
            if (pair.made != made || pair.freed != freed) continue;
            ++pair.count;
            pair.longest_life = std::max(pair.longest_life, life);
            return;
        }
    }

    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const Pair& pair : pairs_) {
            if (pair.count != 0) visit(pair);
        }
    }

private:
    static constexpr size_t kMost = 1 << 16;  // pairs
    static constexpr size_t kFirst = 1 << 10;

    size_t slot_of(uint32_t made, uint32_t freed) const {
        const uint64_t mixed = (uint64_t{made} << 32 | freed) * 0x9e3779b97f4a7c15u;
        return (mixed >> 40) & (pairs_.size() - 1);
    }
    void add(uint32_t made, uint32_t freed, uint64_t life) {
        if (used_ == kMost) return;
        if (used_ * 2 >= pairs_.size()) {
            std::vector<Pair> old(pairs_.size() * 2);
            old.swap(pairs_);
            for (const Pair& pair : old) {
                if (pair.count != 0) place(pair);
            }
        }
        ++used_;
        place({made, freed, 1, life});
        if (made >= makers_.size()) makers_.resize(std::max<size_t>(made + 1, makers_.size() * 2));
        makers_[made] = true;
    }
    bool is_maker(uint32_t stack) const { return stack < makers_.size() && makers_[stack]; }
    void place(const Pair& pair) {
        size_t slot = slot_of(pair.made, pair.freed);
        while (pairs_[slot].count != 0) slot = (slot + 1) & (pairs_.size() - 1);
        pairs_[slot] = pair;
    }

    std::vector<Pair> pairs_ = std::vector<Pair>(kFirst);  // at most half of it in use
    size_t used_ = 0;
    std::vector<bool> makers_;  // by stack: has a pair; a full table need not be searched without
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H
