#include "frame_rules.h"

#include <dlfcn.h>
#include <string.h>
#include <atomic>

#include "eh_frame.h"
#include "module_table.h"

namespace lastref {
namespace {

// The cache: one word an entry, so that no reader ever sees half of one. An entry's place and its
// tag are the two parts of a one-to-one scrambling of the 48-bit pc, so that together they are the
// pc and a hit is exact; the rule and three bits of the module epoch fill the rest. When the epoch
// moves on all entries are dropped; the three bits keep out what a slow thread may store after
// that.
//
//   63           31 30  28 27                    0
//   [ tag of 33   ] [epoch] [rule of 28 bits, 0: empty ]
constexpr unsigned kIndexBits = 15, kPcBits = 48, kTagBits = kPcBits - kIndexBits, kRuleBits = 28;
std::atomic<uint64_t> cache[1u << kIndexBits];

uint64_t scramble(uintptr_t pc) {
    // An odd factor is invertible modulo 2^48.
    return (pc * 0x9e3779b97f4b) & ((uint64_t{1} << kPcBits) - 1);
}

// Rules of code that calls functions: offsets are multiples of 8, the CFA's below 128 KiB, fp saved
// within 1 KiB below the CFA. Others are not cached: 0.
uint64_t pack(const FrameRule& rule) {
    const int32_t cfa = rule.cfa_offset / 8, fp = -rule.fp_offset / 8;
    if (rule.cfa_offset % 8 != 0 || rule.fp_offset % 8 != 0 || cfa < -(1 << 13) || cfa >= 1 << 13 ||
        fp < -64 || fp >= 64) {
        return 0;
    }
    return 1 | static_cast<uint64_t>(rule.cfa) << 1 | static_cast<uint64_t>(rule.fp) << 4 |
           (static_cast<uint64_t>(fp) & 0x7f) << 6 | (static_cast<uint64_t>(cfa) & 0x3fff) << 13;
}

FrameRule unpack(uint64_t word) {
    const auto bits = [word](unsigned first, unsigned count) {  // signed
        return static_cast<int32_t>(static_cast<uint32_t>(word >> first) << (32 - count)) >>
               (32 - count);
    };
    FrameRule rule;
    rule.cfa = static_cast<CfaKind>(word >> 1 & 7);
    rule.fp = static_cast<FpKind>(word >> 4 & 3);
    rule.fp_offset = -8 * bits(6, 7);
    rule.cfa_offset = 8 * bits(13, 14);
    return rule;
}

uint64_t tag_of(uint64_t scrambled, uint32_t epoch) {
    return (scrambled & ((uint64_t{1} << kTagBits) - 1)) << (64 - kTagBits) |
           static_cast<uint64_t>(epoch & 7) << kRuleBits;
}

// __restore_rt: mov $15, %rax; syscall.
bool is_signal_return(uintptr_t pc) {
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp(reinterpret_cast<const void*>(pc), code, sizeof(code)) == 0;
}

__attribute__((noinline)) FrameRule find_rule(uintptr_t pc, uint64_t tag,
                                              std::atomic<uint64_t>& entry) {
    FrameRule rule;
    dl_find_object found;
    const bool in_module = _dl_find_object(reinterpret_cast<void*>(pc), &found) == 0;
    if (in_module) {
        note_module(found);
        if (found.dlfo_eh_frame) {
            const ModuleRange range{reinterpret_cast<uintptr_t>(found.dlfo_map_start),
                                    reinterpret_cast<uintptr_t>(found.dlfo_map_end)};
            rule = rule_from_eh_frame(range, found.dlfo_eh_frame, pc);
            // The rule was asked for the byte before the return address.
            if (rule.cfa == CfaKind::kSignal && !is_signal_return(pc + 1)) rule = {};
        }
    }
    // While a module goes away nothing is stored; nor for code outside modules, where a module may
    // be loaded later.
    if (in_module && !modules_closing()) {
        const uint64_t word = pack(rule);
        if (word != 0) entry.store(tag | word, std::memory_order_relaxed);
    }
    return rule;
}

}  // namespace

FrameRule frame_rule(uintptr_t pc) {
    const uint64_t scrambled = scramble(pc);
    const uint64_t tag = tag_of(scrambled, module_epoch());
    std::atomic<uint64_t>& entry = cache[scrambled >> kTagBits];
    const uint64_t word = entry.load(std::memory_order_relaxed);
    constexpr uint64_t rule_mask = (uint64_t{1} << kRuleBits) - 1;
    if ((word & ~rule_mask) == tag && (word & rule_mask) != 0) [[likely]]
        return unpack(word);
    return find_rule(pc, tag, entry);
}

void drop_frame_rules() {
    for (std::atomic<uint64_t>& entry : cache) entry.store(0, std::memory_order_relaxed);
}

}  // namespace lastref
