#include "frame_rules.h"

#include <string.h>

#include "eh_frame.h"
#include "module_lookup.h"
#include "module_table.h"

namespace lastref {
namespace {

// __restore_rt: mov $15, %rax; syscall. Asked for the byte before it, which is where a handler's
// call is looked for, or for one of the two instructions, where another signal came.
bool in_signal_return(uintptr_t pc) {
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    constexpr uintptr_t kSyscall = 7;
    const auto begins = [](uintptr_t at) {
        return memcmp(reinterpret_cast<const void*>(at), code, sizeof(code)) == 0;
    };
    return begins(pc + 1) || begins(pc) || begins(pc - kSyscall);
}

struct FoundRule {
    FrameRule rule;
    bool lasts;  // as long as the module epoch
};

FoundRule find_rule(uintptr_t pc) {
    FoundRule found_rule;
    FrameRule& rule = found_rule.rule;
    Module module;
    const bool in_module = find_module(pc, module);
    if (in_module) {
        note_module(module);
        if (module.eh_frame_header) {
            rule = rule_from_eh_frame({module.begin, module.end}, module.eh_frame_header, pc);
            if (rule.cfa == CfaKind::kSignal && !in_signal_return(pc)) rule = {};
        }
    }
    // Not while a module goes away; nor outside modules, where one may be loaded later.
    found_rule.lasts = in_module && !modules_closing();
    return found_rule;
}

// The rules that are not usual: each once, never changed. Open addressing; 0: free.
constexpr uint32_t kRareRules = 2048, kProbes = 64;
std::atomic<uint64_t> rare_rules[kRareRules];

constexpr int32_t kLimit = 1 << 28;  // of the offsets of one

// In one word, never 0; 0: the rule's offsets are beyond any compiler's.
uint64_t rare_word(const FrameRule& rule) {
    if (rule.cfa_offset < -kLimit || rule.cfa_offset >= kLimit || rule.fp_offset < -kLimit ||
        rule.fp_offset >= kLimit) {
        return 0;
    }
    return 1 | static_cast<uint64_t>(rule.cfa) << 1 | static_cast<uint64_t>(rule.fp) << 4 |
           static_cast<uint64_t>(rule.cfa_offset + kLimit) << 6 |
           static_cast<uint64_t>(rule.fp_offset + kLimit) << 35;
}

FrameRule rare_rule(uint64_t word) {
    FrameRule rule;
    rule.cfa = static_cast<CfaKind>(word >> 1 & 7);
    rule.fp = static_cast<FpKind>(word >> 4 & 3);
    rule.cfa_offset = static_cast<int32_t>(word >> 6 & (2 * kLimit - 1)) - kLimit;
    rule.fp_offset = static_cast<int32_t>(word >> 35 & (2 * kLimit - 1)) - kLimit;
    return rule;
}

// Its number plus one; 0: there is no place for it.
uint32_t number_of(const FrameRule& rule) {
    const uint64_t word = rare_word(rule);
    if (word == 0) return 0;
    for (uint32_t probe = 0; probe < kProbes; probe++) {
        const auto at =
            static_cast<uint32_t>((word * 0x9e3779b97f4a7c15ull >> 40) + probe) % kRareRules;
        uint64_t found = rare_rules[at].load(std::memory_order_relaxed);
        if (found == 0 &&
            rare_rules[at].compare_exchange_strong(found, word, std::memory_order_relaxed)) {
            return at + 1;
        }
        if (found == word) return at + 1;
    }
    return 0;
}

}  // namespace

RuleCache rule_cache;

PackedRule PackedRule::of(const FrameRule& rule) {
    const auto cfa = static_cast<uint32_t>(rule.cfa_offset);
    const auto fp = static_cast<uint32_t>(-rule.fp_offset);
    if (rule.cfa == CfaKind::kStackPointer && cfa != 0 && cfa % 8 == 0 && cfa / 8 <= kCfaMask) {
        const uint32_t usual = kUsual | cfa / 8;
        if (rule.fp == FpKind::kSame) return PackedRule(usual);
        if (rule.fp == FpKind::kAtCfa && fp != 0 && fp % 8 == 0 && fp / 8 <= kFpMask && fp <= cfa) {
            return PackedRule(usual | fp / 8 << kFpShift);
        }
    }
    return PackedRule(number_of(rule));
}

FrameRule PackedRule::unpacked() const {
    if (!is_usual()) return rare_rule(rare_rules[bits_ - 1].load(std::memory_order_relaxed));
    FrameRule rule;
    rule.cfa = CfaKind::kStackPointer;
    rule.cfa_offset = static_cast<int32_t>(cfa_above_sp());
    rule.fp_offset = -static_cast<int32_t>(fp_below_cfa());
    if (rule.fp_offset != 0) rule.fp = FpKind::kAtCfa;
    return rule;
}

PackedRule packed_rule(uintptr_t pc, uint32_t epoch) {
    constexpr auto order = std::memory_order_relaxed;
    const uint32_t index = RuleCache::index_of(pc);
    const uint64_t key = RuleCache::key_of(pc, epoch);
    uint32_t free = RuleCache::kWays;
    for (uint32_t way = RuleCache::kWays; way-- > 0;) {
        const uint64_t word = rule_cache.words[index ^ way].load(order);
        if ((word ^ key) <= PackedRule::kMask) return PackedRule(word ^ key);
        if (word == 0) free = way;
    }
    const FoundRule found = find_rule(pc);
    const PackedRule packed = PackedRule::of(found.rule);
    if (packed.known() && found.lasts) {
        // Where all places are taken, which one goes is left to the pc.
        if (free == RuleCache::kWays) free = static_cast<uint32_t>(pc ^ pc >> 2) % RuleCache::kWays;
        rule_cache.words[index ^ free].store(key | packed.bits(), order);
    }
    return packed;
}

FrameRule frame_rule(uintptr_t pc) {
    if (modules_closing()) return find_rule(pc).rule;  // what is cached may be of what has gone
    const PackedRule packed = packed_rule(pc, module_epoch());
    return packed.known() ? packed.unpacked() : find_rule(pc).rule;
}

void drop_frame_rules() {
    for (std::atomic<uint64_t>& word : rule_cache.words) word.store(0, std::memory_order_relaxed);
}

}  // namespace lastref
