// Every string of a trace once: chunks define strings anew, ids here hold for the whole trace.
//
// Not thread-safe. Id 0 is the empty string. References stay valid as the pool grows.
#ifndef LASTREF_ANALYZER_READ_STRING_POOL_H
#define LASTREF_ANALYZER_READ_STRING_POOL_H

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lastref {

class StringPool {
public:
    StringPool();
    StringPool(const StringPool&) = delete;
    StringPool& operator=(const StringPool&) = delete;
    StringPool(StringPool&&) = default;
    StringPool& operator=(StringPool&&) = default;

    uint32_t intern(std::string_view text);
    const std::string& operator[](uint32_t id) const;  // "" for an id that is not there

private:
    std::deque<std::string> texts_;
    std::unordered_map<std::string_view, uint32_t> ids_;  // keys point into texts_
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_STRING_POOL_H
