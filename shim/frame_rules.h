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

// A rule in 26 bits, as the cache keeps it: offsets in multiples of 8, the CFA's below 64 KiB, fp
// saved at most 504 bytes below its base. A rule beyond that packs to 0.
//
//   25     12 11      6 5  4 3   1  0
//   [ cfa / 8 | -fp / 8 | fp | cfa | 1 ]
class PackedRule {
public:
    static constexpr unsigned kBits = 26;

    PackedRule() = default;
    explicit PackedRule(uint32_t bits) : bits_(bits) {}
    static PackedRule of(const FrameRule& rule);

    uint32_t bits() const { return bits_; }
    // The two usual kinds: CFA = sp + cfa_offset(), and the caller's fp is ours or saved at
    // CFA + fp_offset().
    bool is_by_sp() const { return (bits_ & 0x2f) == 0x03; }
    bool saves_fp() const { return (bits_ & 0x30) == 0x10; }
    intptr_t cfa_offset() const { return (static_cast<int32_t>(bits_ << 6) >> 18) * 8; }
    intptr_t fp_offset() const { return -static_cast<intptr_t>(bits_ >> 6 & 63) * 8; }
    FrameRule unpacked() const;

private:
    uint32_t bits_ = 0;
};
static_assert(static_cast<unsigned>(CfaKind::kStackPointer) == 1 &&
              static_cast<unsigned>(FpKind::kAtCfa) == 1);

// The cache: one word an entry, so that no reader ever sees half of one. The place of a pc is the
// number of its eight-byte granule, folded, so that the calls of one function share cache lines, or
// one of the three beside it; the tag is what these do not tell of the pc, so that a hit is exact.
// When the epoch moves on all entries are dropped; its four bits keep out what a slow thread
// may store after that.
//
//   63        30 29  26 25                 0
//   [ tag of 34 | epoch | rule, all 0: empty ]
struct RuleCache {
    static constexpr unsigned kIndexBits = 16, kEpochBits = 4, kGranuleBits = 3, kWays = 4;
    static constexpr unsigned kTagShift = PackedRule::kBits + kEpochBits;

    static uint32_t index_of(uintptr_t pc) {
        const uintptr_t granule = pc >> kGranuleBits;
        return (granule ^ granule >> kIndexBits ^ granule >> 2 * kIndexBits) &
               ((1u << kIndexBits) - 1);
    }
    // pc has 48 bits: 29 above its unfolded index, the index's lowest 2 and 3 in the granule.
    static uint64_t tag_of(uintptr_t pc, uint32_t epoch) {
        return (pc >> (kGranuleBits + kIndexBits) << 5 | (pc & 31)) << kTagShift |
               uint64_t{epoch & 15} << PackedRule::kBits;
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
// time, signal handlers too, but not while a dlclose is under way. `epoch` is the module epoch. All
// bits 0: ask frame_rule().
inline PackedRule packed_rule(uintptr_t pc, uint32_t epoch) {
    const uint64_t tag = RuleCache::tag_of(pc, epoch);
    const uint32_t index = RuleCache::index_of(pc);
    constexpr uint64_t rule_mask = (uint64_t{1} << PackedRule::kBits) - 1;
    for (uint32_t way = 0; way < RuleCache::kWays; way++) {
        const uint64_t word = rule_cache.words[index ^ way].load(std::memory_order_relaxed) ^ tag;
        if (word <= rule_mask) return PackedRule(static_cast<uint32_t>(word));
    }
    return find_packed_rule(pc, tag);
}

FrameRule frame_rule(uintptr_t pc);

// Forgets all cached rules: the module epoch has moved on.
void drop_frame_rules();

}  // namespace lastref

#endif  // LASTREF_SHIM_FRAME_RULES_H
