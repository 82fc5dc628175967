// What is wrong with a trace that can still be read in part. Bounded, however broken the file is.
#ifndef LASTREF_ANALYZER_READ_DAMAGE_H
#define LASTREF_ANALYZER_READ_DAMAGE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lastref {

struct Damage {
    uint64_t offset = 0;  // in the file
    std::string reason;
};

class DamageList {
public:
    static constexpr size_t kKept = 16;

    void add(uint64_t offset, std::string reason) {
        if (kept_.size() < kKept) kept_.push_back({offset, std::move(reason)});
        ++count_;
    }
    // Chunks or parts of a log that the file should hold but does not.
    void add_missing_chunks(uint64_t chunks) { missing_chunks_ += chunks; }

    uint64_t count() const { return count_; }
    uint64_t missing_chunks() const { return missing_chunks_; }
    bool empty() const { return count_ == 0 && missing_chunks_ == 0; }
    const std::vector<Damage>& kept() const { return kept_; }  // the first kKept

private:
    std::vector<Damage> kept_;
    uint64_t count_ = 0;
    uint64_t missing_chunks_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_DAMAGE_H
