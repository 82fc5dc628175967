#include "known_pages.h"

#include "page_probe.h"

namespace lastref {
std::atomic<uint32_t> unmap_generation;

void forget_known_pages() {
    unmap_generation.fetch_add(1, std::memory_order_release);
}

bool KnownPages::readable(uintptr_t address, bool probe) {
    const uintptr_t number = address >> kPageBits;
    if (number == 0 || number >> (kNumberBits - 1) != 0) return false;  // above: the kernel's half
    if (probe && ++look_ups_ % kTrusted == 0) [[unlikely]]
        forget_known_pages();
    const uint64_t known = number | uint64_t{unmap_generation.load(std::memory_order_acquire)}
                                        << kNumberBits;
    uint64_t& word = words_[number * 0x9e3779b97f4a7c15ull >> (64 - kIndexBits)];
    if (word == known) [[likely]]
        return true;
    if (!probe || !page_readable(number << kPageBits)) return false;
    word = known;
    return true;
}

}  // namespace lastref
