#include "read/string_pool.h"

namespace lastref {

StringPool::StringPool() {
    intern("");
}

uint32_t StringPool::intern(std::string_view text) {
    if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
    const auto id = static_cast<uint32_t>(texts_.size());
    texts_.emplace_back(text);
    ids_.emplace(texts_.back(), id);
    return id;
}

const std::string& StringPool::operator[](uint32_t id) const {
    return id < texts_.size() ? texts_[id] : texts_[0];
}

}  // namespace lastref
