// A counter per stack id, dense where stacks are in use: one increment per allocation.
#ifndef LASTREF_ANALYZER_ANALYZE_STACK_COUNTERS_H
#define LASTREF_ANALYZER_ANALYZE_STACK_COUNTERS_H

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace lastref {

class StackCounters {
public:
    // Returns what it was before.
    uint64_t increment(uint32_t stack) {
        const size_t page = stack / kPage;
        if (page >= pages_.size() || pages_[page] == nullptr) [[unlikely]]
            add_page(page);
        return (*pages_[page])[stack % kPage]++;
    }
    void prefetch(uint32_t stack) const {
        const size_t page = stack / kPage;
        if (page < pages_.size() && pages_[page] != nullptr)
            __builtin_prefetch(&(*pages_[page])[stack % kPage], 1);
    }
    uint64_t operator[](uint32_t stack) const {
        const size_t page = stack / kPage;
        if (page >= pages_.size() || pages_[page] == nullptr) return 0;
        return (*pages_[page])[stack % kPage];
    }

private:
    static constexpr size_t kPage = 4096;
    using Page = std::array<uint64_t, kPage>;

    void add_page(size_t page) {
        if (page >= pages_.size()) pages_.resize(page + 1);
        pages_[page] = std::make_unique<Page>();
    }

    std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_STACK_COUNTERS_H
