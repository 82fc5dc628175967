// How to step from one frame to its caller, read from the `.eh_frame` of the code.
//
// A rule holds for one program counter and needs three registers only: the pc, the stack pointer
// and the frame pointer. That covers what compilers emit for code that calls functions: a
// canonical frame address (CFA) at a distance from rsp or rbp, or kept in memory near rbp (stack
// realignment), the return address just below it, and rbp saved near the CFA. Anything that needs
// more is marked kOther and ends the walk: a frame pointer would lead past the callers that keep
// none. Where nothing is said at all (kNone) it goes on by frame pointers with checked bounds, or
// ends.
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
    kOther,         // needs more than three registers: the walk is lost
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

// A rule as the cache keeps it, in 17 bits. A `usual` rule, which nearly all code has: the CFA lies
// above sp, and the caller's fp is ours, or was saved between the two. Any other rule is the number
// of one that is kept beside (of some 2,000 different ones; programs have a few dozen).
//
//      16    15          9 8            0           16  15        0
//   [ 1 | -fp offset / 8 | CFA - sp / 8 ]    or    [ 0 | number + 1 ]     all 0: not known
class PackedRule {
public:
    static constexpr unsigned kBits = 17;
    static constexpr uint64_t kMask = (1u << kBits) - 1;

    PackedRule() = default;
    explicit PackedRule(uint64_t bits) : bits_(static_cast<uint32_t>(bits)) {}
    static PackedRule of(const FrameRule& rule);

    bool known() const { return bits_ != 0; }
    uint64_t bits() const { return bits_; }
    bool is_usual() const { return bits_ >= kUsual; }
    // For a usual rule: CFA - sp; how far below the CFA fp was saved, 0: it was not.
    uintptr_t cfa_above_sp() const { return (bits_ & kCfaMask) * uintptr_t{8}; }
    uintptr_t fp_below_cfa() const { return (bits_ >> kFpShift & kFpMask) * uintptr_t{8}; }
    FrameRule unpacked() const;

private:
    static constexpr unsigned kFpShift = 9;
    static constexpr uint32_t kCfaMask = 511, kFpMask = 127, kUsual = 1u << 16;

    uint32_t bits_ = 0;
};

// The cache: one word an entry, so that no reader ever sees half of one. The place of a pc is the
// number of its granule, so that the calls of one function share cache lines, or one of the three
// beside it.
//   The module epoch is laid over pc bits that the place implies anyway, so that a hit is exact in
// both: when the epoch moves on all entries are dropped, and its four bits keep out what a slow
// thread may store after that.
//
//   63                                  17 16     0
//   [ pc, bits 5 to 8 ^ epoch, bits 0 to 3 | rule ]     all 0: empty
struct RuleCache {
    static constexpr unsigned kIndexBits = 16, kGranuleBits = 3, kWays = 4, kEpochShift = 5;

    static uint32_t index_of(uintptr_t pc) { return pc >> kGranuleBits & ((1u << kIndexBits) - 1); }
    static uint64_t key_of(uintptr_t pc, uint32_t epoch) {
        return (pc ^ uintptr_t{epoch & 15} << kEpochShift) << PackedRule::kBits;
    }

    std::atomic<uint64_t> words[1u << kIndexBits];
};
extern RuleCache rule_cache;

// The rule for `pc`: the address of an instruction, so a return address less one. Any thread, any
// time, signal handlers too, but not while a dlclose is under way. `epoch` is the module epoch. Not
// known(): ask frame_rule().
PackedRule packed_rule(uintptr_t pc, uint32_t epoch);

FrameRule frame_rule(uintptr_t pc);

// A thread's own front of the cache: the usual rules that its walks asked for last, by the pc of
// the frame itself. The cache is spread over as many lines as there are pcs, nearly, and far away
// in a large program; of clang's look-ups these 16 KiB answer 93 in 100. To be cleared when the
// epoch moves on.
struct RuleFront {
    static constexpr unsigned kIndexBits = 11;

    uint64_t words[1u << kIndexBits];  // the pc << PackedRule::kBits | its rule; 0: free

    uint64_t& word(uint64_t pc) {
        return words[static_cast<uint32_t>(pc) * 0x9e3779b1u >> (32 - kIndexBits)];
    }
};

// Forgets all cached rules: the module epoch has moved on.
void drop_frame_rules();

}  // namespace lastref

#endif  // LASTREF_SHIM_FRAME_RULES_H
