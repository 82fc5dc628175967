// How to step from one frame to its caller, read from the `.eh_frame` of the code.
//
// A rule holds for one program counter and needs three registers only: the pc, the stack pointer
// and the frame pointer. That covers what compilers emit for code that calls functions: a
// canonical frame address (CFA) at a distance from rsp or rbp, or kept in memory near rbp (stack
// realignment), the return address just below it, and rbp saved near the CFA. Whatever needs more
// is told as kOther and ends the walk: a frame pointer would lead past the callers that keep none.
// Where nothing is said at all (kNone) it goes on by frame pointers with checked bounds, or ends.
//
// The tables are found by module_lookup.h, which takes no lock of the loader and may be called in
// signal handlers and while another thread is inside dlopen. Rules are cached by pc in a table
// that all threads share without locks. The module epoch is part of an entry: after a dlclose
// nothing cached before is used.
//
// Sources: DWARF 5, section 6.4; Linux Standard Base 5.0, 10.6 (.eh_frame, .eh_frame_hdr); System V
// ABI x86-64, 3.7 (register numbers).
#ifndef LASTREF_SHIM_FRAME_RULES_H
#define LASTREF_SHIM_FRAME_RULES_H

#include <stdint.h>
#include <atomic>

namespace lastref {

enum class CfaKind : uint8_t {
    kNone = 0,      // nothing is said of the pc: try the frame pointer
    kStackPointer,  // CFA = sp + cfa_offset
    kFramePointer,  // CFA = fp + cfa_offset
    kMemory,        // CFA = *(fp + cfa_offset)
    kSignal,        // a signal frame: the kernel saved the registers at sp
    kOutermost,     // the return address is undefined: the stack ends here
    kOther,         // more is said than three registers tell: the walk is lost
};
enum class FpKind : uint8_t {
    kSame = 0,        // the caller's fp is ours
    kAtCfa,           // saved at CFA + fp_offset
    kAtFramePointer,  // saved at fp + fp_offset
};

struct FrameRule {
    CfaKind cfa = CfaKind::kNone;
    FpKind fp = FpKind::kSame;
    int32_t cfa_offset = 0;
    int32_t fp_offset = 0;
};

// A rule as the cache keeps it: offsets in multiples of 8, the CFA's below 64 KiB, fp saved at most
// 504 bytes below its base. A rule beyond that packs to 0. The other bits of the word are the
// cache's.
//
//      59         58        57 56 55    50 49    45 44      32 31      29 28    0
//   [ cfa < 0 | is_usual | fp | -fp / 8 | .. .. | |cfa| / 8 | cfa + 1 | .. .. ]
class PackedRule {
public:
    static constexpr uint64_t kMask = 0x3ffull << 50 | 0xffffull << 29;

    PackedRule() = default;
    // Of a word of the cache.
    explicit PackedRule(uint64_t word) : word_(word) {}
    static PackedRule of(const FrameRule& rule);

    bool known() const { return (word_ & kMask) != 0; }
    uint64_t bits() const { return word_ & kMask; }
    // What nearly all code is like: the CFA lies above sp, and the caller's fp is ours, or was
    // saved between the two.
    bool is_usual() const { return (word_ & kUsual) != 0; }
    // Of a usual rule: CFA - sp; whether fp was saved, and how far below the CFA.
    uintptr_t cfa_above_sp() const { return word_ >> kCfaShift & kCfaMask; }
    bool saves_fp() const { return (word_ & kFpAtCfa) != 0; }
    uintptr_t fp_below_cfa() const { return word_ >> (kFpShift - 3) & kFpMask; }
    FrameRule unpacked() const;

private:
    static constexpr unsigned kCfaShift = 29, kFpShift = 50, kFpKindShift = 56;
    static constexpr uint32_t kCfaMask = 0xfff8, kFpMask = 63 * 8;
    static constexpr uint64_t kFpAtCfa = 1ull << kFpKindShift, kUsual = 1ull << 58,
                              kNegative = 1ull << 59;

    uint64_t word_ = 0;
};
static_assert(static_cast<unsigned>(FpKind::kAtCfa) == 1);

// The cache: one word an entry, so that no reader ever sees half of one. The place of a pc is the
// number of its eight-byte granule, so that the calls of one function share cache lines, or one of
// the three beside it; the tag is what these do not tell of the pc, so that a hit is exact. When
// the epoch moves on all entries are dropped; its four bits keep out what a slow thread may store
// after that.
//
//   63     60 59      50 49          45 44   29 28            0
//   [ epoch | the rule | pc's bits 0-4 | rule | pc's bits 19-47 ]     all 0: empty
struct RuleCache {
    static constexpr unsigned kIndexBits = 16, kGranuleBits = 3, kWays = 4;
    static constexpr uint64_t kTagMask = ~PackedRule::kMask;

    static uint32_t index_of(uintptr_t pc) { return pc >> kGranuleBits & ((1u << kIndexBits) - 1); }
    static uint64_t tag_of(uintptr_t pc, uint32_t epoch) {
        constexpr unsigned kTurn = kGranuleBits + kIndexBits;
        constexpr uint64_t kOfPc = 31ull << 45 | ((1ull << 29) - 1);
        return ((pc >> kTurn | pc << (64 - kTurn)) & kOfPc) | uint64_t{epoch} << 60;
    }

    std::atomic<uint64_t> words[1u << kIndexBits];
};
extern RuleCache rule_cache;

// Says that the rule for `pc` will be asked for soon.
inline void prefetch_rule(uintptr_t pc) {
    __builtin_prefetch(&rule_cache.words[RuleCache::index_of(pc)]);
}

PackedRule find_packed_rule(uintptr_t pc, uint64_t tag);

// The rule for `pc`: the address of an instruction, so a return address less one. Any thread, any
// time, signal handlers too, but not while a dlclose is under way. `epoch` is the module epoch. Not
// known(): ask frame_rule().
inline PackedRule packed_rule(uintptr_t pc, uint32_t epoch) {
    const uint64_t tag = RuleCache::tag_of(pc, epoch);
    const uint32_t index = RuleCache::index_of(pc);
    for (uint32_t way = 0; way < RuleCache::kWays; way++) {
        const uint64_t word = rule_cache.words[index ^ way].load(std::memory_order_relaxed);
        // An empty word has the tag of no code: that of the first page, in epoch 0.
        if ((word & RuleCache::kTagMask) == tag) [[likely]]
            return PackedRule(word);
    }
    return find_packed_rule(pc, tag);
}

FrameRule frame_rule(uintptr_t pc);

// Forgets all cached rules: the module epoch has moved on.
void drop_frame_rules();

}  // namespace lastref

#endif  // LASTREF_SHIM_FRAME_RULES_H
