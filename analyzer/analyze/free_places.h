// Which stacks free the blocks that a stack makes: one counter per pair of stacks.
//
// A missing free is told from a normal one by what frees the other blocks made at the same place
// (missing_frees.h). Of a stack that makes many, one block in eight is looked at; that is one probe
// of a flat table, asked of memory a few blocks before it is made. Bounded: pairs that come when
// the table is full are not counted.
#ifndef LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H
#define LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H

#include <algorithm>
#include <array>
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
        __builtin_prefetch(&pairs_[slot_of(made, freed)], 1);
        Seen& oldest = waiting_[next_];
        next_ = (next_ + 1) % waiting_.size();
        if (oldest.is_any) [[likely]]
            take(oldest);
        oldest = {made, freed, life, true};
    }
    // What was counted last has its effect. To be called before for_each().
    void settle() {
        for (size_t i = 0; i < waiting_.size(); ++i) {
            Seen& oldest = waiting_[(next_ + i) % waiting_.size()];
            if (oldest.is_any) take(oldest);
            oldest = {};
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

    struct Seen {
        uint32_t made = 0, freed = 0;
        uint64_t life = 0;
        bool is_any = false;
    };

    size_t slot_of(uint32_t made, uint32_t freed) const {
        const uint64_t mixed = (uint64_t{made} << 32 | freed) * 0x9e3779b97f4a7c15u;
        return (mixed >> 40) & (pairs_.size() - 1);
    }
    void take(const Seen& seen) {
        for (size_t slot = slot_of(seen.made, seen.freed);;
             slot = (slot + 1) & (pairs_.size() - 1)) {
            Pair& pair = pairs_[slot];
            if (pair.count == 0) [[unlikely]]
                return add(seen);
            if (pair.made != seen.made || pair.freed != seen.freed) continue;
            ++pair.count;
            pair.longest_life = std::max(pair.longest_life, seen.life);
            return;
        }
    }
    void add(const Seen& seen) {
        if (used_ >= kMost) return;
        if (used_ * 2 >= pairs_.size()) {
            std::vector<Pair> old(pairs_.size() * 2);
            old.swap(pairs_);
            for (const Pair& pair : old) {
                if (pair.count != 0) place(pair);
            }
        }
        ++used_;
        place({seen.made, seen.freed, 1, seen.life});
    }
    void place(const Pair& pair) {
        size_t slot = slot_of(pair.made, pair.freed);
        while (pairs_[slot].count != 0) slot = (slot + 1) & (pairs_.size() - 1);
        pairs_[slot] = pair;
    }

    std::vector<Pair> pairs_ = std::vector<Pair>(kFirst);  // at most half of it in use
    size_t used_ = 0;
    std::array<Seen, 8> waiting_;  // in the order they came, the oldest at next_
    size_t next_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FREE_PLACES_H
