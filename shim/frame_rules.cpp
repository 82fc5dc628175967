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

}  // namespace

RuleCache rule_cache;

PackedRule PackedRule::of(const FrameRule& rule) {
    const bool negative = rule.cfa_offset < 0;
    const uint32_t cfa = negative ? 0u - static_cast<uint32_t>(rule.cfa_offset)
                                  : static_cast<uint32_t>(rule.cfa_offset);
    const int32_t fp = -rule.fp_offset;
    if (cfa % 8 != 0 || fp % 8 != 0 || cfa > kCfaMask || fp < 0 || fp > 63 * 8) return {};
    const bool usual = rule.cfa == CfaKind::kStackPointer && !negative && cfa != 0 &&
                       (rule.fp == FpKind::kSame ||
                        (rule.fp == FpKind::kAtCfa && fp != 0 && static_cast<uint32_t>(fp) <= cfa));
    return PackedRule((static_cast<uint64_t>(rule.cfa) + 1 + cfa) << kCfaShift |
                      static_cast<uint64_t>(fp) / 8 << kFpShift |
                      static_cast<uint64_t>(rule.fp) << kFpKindShift | (usual ? kUsual : 0) |
                      (negative ? kNegative : 0));
}

FrameRule PackedRule::unpacked() const {
    FrameRule rule;
    rule.cfa = static_cast<CfaKind>((word_ >> kCfaShift & 7) - 1);
    rule.fp = static_cast<FpKind>(word_ >> kFpKindShift & 3);
    rule.cfa_offset = static_cast<int32_t>(cfa_above_sp());
    if (word_ & kNegative) rule.cfa_offset = -rule.cfa_offset;
    rule.fp_offset = -static_cast<int32_t>(fp_below_cfa());
    return rule;
}

PackedRule find_packed_rule(uintptr_t pc, uint64_t tag) {
    const FoundRule found = find_rule(pc);
    const PackedRule packed = PackedRule::of(found.rule);
    if (packed.known() && found.lasts) {
        constexpr auto order = std::memory_order_relaxed;
        const uint32_t index = RuleCache::index_of(pc);
        // Where all places are taken, which one goes is left to the pc.
        uint32_t way = 0;
        while (way < RuleCache::kWays && rule_cache.words[index ^ way].load(order) != 0) way++;
        if (way == RuleCache::kWays) way = static_cast<uint32_t>(pc ^ pc >> 2) % RuleCache::kWays;
        rule_cache.words[index ^ way].store(tag | packed.bits(), order);
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
