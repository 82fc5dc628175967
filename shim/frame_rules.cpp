#include "frame_rules.h"

#include <atomic>
#include <dlfcn.h>
#include <string.h>

#include "eh_frame.h"
#include "module_table.h"

namespace lastref {
namespace {

// A rule in one word, for the cache: kinds, then the offsets (multiples of 8 in real code; others
// are not cached).
uint64_t pack(const FrameRule& rule) {
    return 1 | static_cast<uint64_t>(rule.cfa) << 1 | static_cast<uint64_t>(rule.fp) << 4 |
           (static_cast<uint64_t>(static_cast<uint32_t>(rule.cfa_offset)) << 32) |
           (static_cast<uint64_t>(rule.fp_offset & 0xffffff) << 8);
}

FrameRule unpack(uint64_t word) {
    FrameRule rule;
    rule.cfa = static_cast<CfaKind>(word >> 1 & 7);
    rule.fp = static_cast<FpKind>(word >> 4 & 3);
    rule.cfa_offset = static_cast<int32_t>(word >> 32);
    rule.fp_offset = static_cast<int32_t>(static_cast<uint32_t>(word >> 8) << 8) >> 8;
    return rule;
}

struct CacheEntry {
    std::atomic<uint64_t> key;   // pc and epoch, xor value
    std::atomic<uint64_t> value; // packed rule, 0: empty
};
constexpr unsigned kCacheBits = 15;
CacheEntry cache[1u << kCacheBits];

uint64_t key_of(uintptr_t pc) {
    return static_cast<uint64_t>(pc) | static_cast<uint64_t>(module_epoch()) << 48;
}

CacheEntry& slot_of(uint64_t key) {
    return cache[(key * 0x9e3779b97f4a7c15ull) >> (64 - kCacheBits)];
}

// __restore_rt: mov $15, %rax; syscall.
bool is_signal_return(uintptr_t pc) {
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp(reinterpret_cast<const void*>(pc), code, sizeof(code)) == 0;
}

__attribute__((noinline)) FrameRule find_rule(uintptr_t pc, uint64_t key, CacheEntry& slot) {
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
    // The epoch may have moved on through note_module; a key of the old one is never looked up
    // again, so what is stored under it does no harm. While a module goes away, nothing is stored;
    // nor for code outside modules, where a module may be loaded later.
    const bool fits = rule.fp_offset >= -0x800000 && rule.fp_offset < 0x800000;
    if (in_module && fits && !modules_closing()) {
        const uint64_t word = pack(rule);
        slot.value.store(word, std::memory_order_relaxed);
        slot.key.store(key ^ word, std::memory_order_relaxed);
    }
    return rule;
}

}  // namespace

FrameRule frame_rule(uintptr_t pc) {
    const uint64_t key = key_of(pc);
    CacheEntry& slot = slot_of(key);
    const uint64_t value = slot.value.load(std::memory_order_relaxed);
    if (value != 0 && (slot.key.load(std::memory_order_relaxed) ^ value) == key) {
        return unpack(value);
    }
    return find_rule(pc, key, slot);
}

}  // namespace lastref
