// A random walk over a deep tree of calls: what a benchmark of stacks needs, since a loop that
// always calls from the same place says nothing about programs.
//
// 320 functions call one another with frames of different sizes and values kept in saved registers,
// as an optimising compiler leaves them. Half of them call from four places in turn, the others
// from one. The walk goes some frames up, some down, and then an event happens in the function
// where it stands; the steps are small mostly and long at times, as in a recursive parser. How new
// its stacks are was set by what clang's own mallocs show: 4.9 of 39.8 frames fresh on average, one
// stack in 30 never seen before. fresh_frames() counts it. One walk belongs to one thread.
#ifndef LASTREF_BENCH_CALL_WALK_H
#define LASTREF_BENCH_CALL_WALK_H

#include <cstdint>

namespace bench {

inline constexpr unsigned kFunctions = 320;
inline constexpr unsigned kCallSites = 4;
inline constexpr unsigned kDeepest = 64;
// The frames above the walk's own: of the thread's or program's start and of main().
inline constexpr unsigned kOuterFrames = 4;

constexpr unsigned callee(unsigned function, unsigned site) {
    return ((function * kCallSites + site + 1) * 0x9e3779b97f4a7c15ull >> 32) % kFunctions;
}

class CallWalk {
public:
    // `least` and `most` frames, the outer ones included; most <= kDeepest. `seed` not 0.
    CallWalk(unsigned least, unsigned most, uint64_t seed)
        : least_(least - kOuterFrames - 1), most_(most - kOuterFrames - 1), random_(seed) {}

    // visitor.event(function), inlined, is called `events` times, and must not throw.
    template <typename Visitor>
    void run(Visitor& visitor, uint64_t events) {
        events_ = events;
        down_ = (least_ + most_) / 2;
        up_ = 0;
        frame<Visitor, 0>(*this, visitor);
    }

    uint64_t random() {  // xorshift64*, Marsaglia and Vigna
        random_ ^= random_ >> 12;
        random_ ^= random_ << 25;
        random_ ^= random_ >> 27;
        return random_ * 0x2545f4914f6cdd1dull;
    }

    unsigned frames() const { return calls_ + 1 + kOuterFrames; }

    // How many of the frames that stand now were not there, at the same place in their function,
    // when this was last called.
    [[gnu::noinline]] unsigned fresh_frames() {
        unsigned both = calls_ < seen_calls_ ? calls_ : seen_calls_;
        unsigned same = touched_ < both ? touched_ : both;
        while (same < both && path_[same] == seen_[same]) ++same;
        unsigned fresh = same == calls_ && same == seen_calls_ ? 0 : calls_ + 1 - same;
        for (unsigned i = same; i < calls_; ++i) seen_[i] = path_[i];
        seen_calls_ = touched_ = calls_;
        return fresh;
    }

private:
    template <typename Visitor, unsigned function>
    [[gnu::noinline, gnu::noclone, gnu::no_icf]] static void frame(CallWalk& walk,
                                                                   Visitor& visitor) {
        unsigned char room[16 + 40 * (function % 6)];
        uint64_t kept[3] = {walk.random_ + function, walk.random_ ^ function, walk.random_ * 3};
        asm volatile("" : "+r"(kept[0]), "+r"(kept[1]), "+r"(kept[2]) : "r"(room) : "memory");
        for (unsigned site = 0;;) {
            if (walk.up_ != 0) {
                --walk.up_;
                break;
            }
            if (walk.down_ == 0) {
                visitor.event(function);
                walk.choose_way();
                continue;
            }
            --walk.down_;
            walk.enter(function, site);
            switch (site) {
                case 0:
                    frame<Visitor, callee(function, 0)>(walk, visitor);
                    break;
                case 1:
                    frame<Visitor, callee(function, 1)>(walk, visitor);
                    break;
                case 2:
                    frame<Visitor, callee(function, 2)>(walk, visitor);
                    break;
                default:
                    frame<Visitor, callee(function, 3)>(walk, visitor);
                    break;
            }
            --walk.calls_;
            if (function % 2 == 0) site = (site + 1) % kCallSites;
        }
        if constexpr (function % 4 > 0) asm volatile("" ::"r"(kept[0]));
        if constexpr (function % 4 > 1) asm volatile("" ::"r"(kept[1]));
        if constexpr (function % 4 > 2) asm volatile("" ::"r"(kept[2]));
        asm volatile("" ::"r"(room) : "memory");
    }

    [[gnu::noinline]] void enter(unsigned function, unsigned site) {
        if (touched_ > calls_) touched_ = calls_;
        path_[calls_++] = static_cast<uint16_t>(function * kCallSites + site);
    }

    [[gnu::noinline]] void choose_way() {
        if (--events_ == 0) {
            up_ = kDeepest;
            return;
        }
        static constexpr unsigned char kSteps[16] = {0, 0, 0, 1, 1, 1, 2,  2,
                                                     3, 3, 4, 5, 6, 8, 11, 15};
        uint64_t chance = random() >> 32;
        up_ = kSteps[chance % 16];
        down_ = kSteps[chance / 16 % 16];
        if (up_ > calls_ - least_) up_ = calls_ - least_;
        if (down_ > most_ + up_ - calls_) down_ = most_ + up_ - calls_;
    }

    unsigned least_, most_;  // calls that may stand
    uint64_t random_;
    uint64_t events_ = 0;
    unsigned up_ = 0, down_ = 0;  // steps to go before the next event
    unsigned calls_ = 0;          // that stand now, below the first function
    unsigned seen_calls_ = 0;
    unsigned touched_ = 0;          // path_ below this is as it was at the last fresh_frames()
    uint16_t path_[kDeepest] = {};  // call sites, the outermost first
    uint16_t seen_[kDeepest] = {};
};

}  // namespace bench

#endif  // LASTREF_BENCH_CALL_WALK_H
