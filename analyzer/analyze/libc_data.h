// What the C library's own variables point to at the end of a process (HookFact::kLibcData).
#ifndef LASTREF_ANALYZER_ANALYZE_LIBC_DATA_H
#define LASTREF_ANALYZER_ANALYZE_LIBC_DATA_H

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace lastref {

class LibcData {
public:
    LibcData() = default;
    explicit LibcData(std::vector<uint64_t> words) : words_(std::move(words)) {
        std::sort(words_.begin(), words_.end());
    }

    bool points_to(uint64_t block) const {
        return std::binary_search(words_.begin(), words_.end(), block);
    }

private:
    std::vector<uint64_t> words_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LIBC_DATA_H
