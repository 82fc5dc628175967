#include "stack_bounds.h"

#include "page_probe.h"

extern "C" void* __libc_stack_end;  // ld.so's: the main thread's stack pointer at the entry

namespace lastref {
namespace {

constexpr uintptr_t kPage = 4096;
constexpr uintptr_t kMaxProbedPages = 8192;  // 32 MiB of stack between two events
constexpr uint32_t kGapTrusted = 64;
constexpr uintptr_t kMaxForeignStack = 8u << 20;

// The highest page of [low, high) that can't be read; 0: all can.
uintptr_t find_gap(uintptr_t low, uintptr_t high) {
    for (uintptr_t page = (high - 1) & ~(kPage - 1); page >= low; page -= kPage) {
        if (!page_readable(page)) return page;
    }
    return 0;
}

uintptr_t thread_control_block() {
    uintptr_t self;
    asm("movq %%fs:0x10, %0" : "=r"(self));
    return self;
}

// Learns the thread's own stack, or that `sp` lies deeper in it than seen so far.
void learn(OwnStack& own, uintptr_t sp) {
    const uintptr_t page = sp & ~(kPage - 1);
    if (own.high != 0) {
        if (sp >= own.low || own.low - page > kMaxProbedPages * kPage) return;
        const bool is_behind_gap = own.gap != 0 && page <= own.gap;
        if (is_behind_gap && ++own.gap_uses % kGapTrusted != 0) return;
        if (is_behind_gap && !page_readable(own.gap)) return;
        own.gap = find_gap(page, own.low);
        if (own.gap == 0) own.low = page;
        return;
    }
    const uintptr_t ends[] = {thread_control_block(),
                              reinterpret_cast<uintptr_t>(__libc_stack_end)};
    uintptr_t high = 0;
    for (uintptr_t end : ends) {
        if (end > sp && (high == 0 || end < high)) high = end;
    }
    if (high == 0 || high - page > kMaxProbedPages * kPage || find_gap(page, high) != 0) return;
    own.low = page;
    own.high = high & ~uintptr_t{7};
}

}  // namespace

bool address_readable(const void* address) {
    return page_readable(reinterpret_cast<uintptr_t>(address) & ~(kPage - 1));
}

// `sp` is not in what is known of the thread's own stack.
void ReadableStack::look_around(OwnStack& own, uintptr_t sp, bool live) {
    if (probe_) learn(own, sp);
    if (own.holds(sp)) {
        high_ = limit_ = own.high;
        return;
    }
    // What lies at sp may be the end of the stack's memory; the return address below it is there.
    high_ = live ? ((sp - sizeof(uintptr_t)) & ~(kPage - 1)) + kPage : sp & ~(kPage - 1);
    limit_ = sp + kMaxForeignStack;
}

ReadableStack ReadableStack::interrupted(OwnStack& own, uintptr_t sp, bool probe) {
    constexpr uintptr_t kRedZone = 128;  // System V ABI, AMD64 supplement, 3.2.2
    const uintptr_t low = sp - kRedZone, page = low & ~(kPage - 1);
    const bool there =
        page == (sp & ~(kPage - 1)) || own.holds(low) || own.pages.readable(page, probe);
    return {own, there ? low : sp, probe, false};
}

bool ReadableStack::extend(uintptr_t address) {
    if ((address & 7) != 0 || address < low_ || address >= limit_) return false;
    while (address >= high_) {
        if (high_ >= limit_ || !pages_->readable(high_, probe_)) return false;
        high_ += kPage;
    }
    return true;
}

}  // namespace lastref
