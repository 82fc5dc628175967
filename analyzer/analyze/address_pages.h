// Which addresses of interest lie in a range: asked at every malloc and free.
//
// Addresses are kept by page. A small table of counts answers 'none' for most ranges with one
// load; only pages that hold an address are looked into.
#ifndef LASTREF_ANALYZER_ANALYZE_ADDRESS_PAGES_H
#define LASTREF_ANALYZER_ANALYZE_ADDRESS_PAGES_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace lastref {

class AddressPages {
public:
    void add(uint64_t address) {
        pages_[page_of(address)].push_back(address);
        ++filter_[filter_slot(page_of(address))];
        ++size_;
    }

    void remove(uint64_t address) {
        const auto page = pages_.find(page_of(address));
        if (page == pages_.end()) return;
        const auto at = std::find(page->second.begin(), page->second.end(), address);
        if (at == page->second.end()) return;
        *at = page->second.back();
        page->second.pop_back();
        if (page->second.empty()) pages_.erase(page);
        --filter_[filter_slot(page_of(address))];
        --size_;
    }

    // True if [address, address + size) may hold an address; false is certain.
    bool may_hold(uint64_t address, uint64_t size) const {
        if (size_ == 0 || size == 0) return false;
        const uint64_t first = page_of(address);
        const uint64_t last = page_of(address + std::min(size - 1, ~address));
        if (last - first >= kManyPages) return true;
        for (uint64_t page = first; page <= last; ++page) {
            if (filter_[filter_slot(page)] != 0) return true;
        }
        return false;
    }

    // The addresses in [address, address + size), sorted.
    std::vector<uint64_t> in_range(uint64_t address, uint64_t size) const {
        std::vector<uint64_t> found;
        if (size == 0) return found;
        const uint64_t last_byte = address + std::min(size - 1, ~address);
        const auto take = [&](const std::vector<uint64_t>& page) {
            for (const uint64_t candidate : page) {
                if (candidate >= address && candidate <= last_byte) found.push_back(candidate);
            }
        };
        const uint64_t first = page_of(address), last = page_of(last_byte);
        if (last - first < pages_.size()) {
            for (uint64_t page = first; page <= last; ++page) {
                if (const auto at = pages_.find(page); at != pages_.end()) take(at->second);
            }
        } else {
            for (const auto& [page, addresses] : pages_) take(addresses);
        }
        std::sort(found.begin(), found.end());
        return found;
    }

private:
    static constexpr uint64_t kManyPages = 16;
    static constexpr size_t kFilterBits = 14;

    static uint64_t page_of(uint64_t address) { return address >> 12; }
    static size_t filter_slot(uint64_t page) {
        return static_cast<size_t>(page * 0x9e3779b97f4a7c15u >> (64 - kFilterBits));
    }

    std::unordered_map<uint64_t, std::vector<uint64_t>> pages_;
    std::array<uint32_t, 1u << kFilterBits> filter_{};
    uint64_t size_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_ADDRESS_PAGES_H
