// How lives went: sequences of operations with their places, each kept once and counted.
//
// Nothing else is kept of lives that ended. Two lives went the same way if they did the same
// operations at the same stacks equally often; the order, which threads may shuffle, and touches,
// which change no count, make no difference. The first life of each way is its example.
#ifndef LASTREF_ANALYZER_ANALYZE_LIFE_SIGNATURE_H
#define LASTREF_ANALYZER_ANALYZE_LIFE_SIGNATURE_H

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/life_history.h"

namespace lastref {

// Hash of a bag of operations: adding is commutative, and one multiplication per event.
class SignatureHash {
public:
    void add(const HistoryRecord& record) {
        switch (record.operation()) {
            case trace::Op::kTouch:
            case trace::Op::kCount:
            case trace::Op::kMove:
                return;
            default:
                break;
        }
        uint64_t mixed = record.site() * 0x9e3779b97f4a7c15u;
        mixed ^= mixed >> 32;
        sum_ += mixed * 0xd6e8feb86659fd93u;
    }
    uint64_t value() const { return sum_; }

private:
    uint64_t sum_ = 0;
};

struct Signature {
    std::vector<HistoryRecord> records;  // of the example, oldest first
    uint64_t address = 0;
    uint64_t size = 0;
    uint64_t lives = 0;
};

// The memory that all signatures together may still use, some 200 MB, so that a trace with ever new
// ways stays bounded.
struct SignatureRoom {
    static constexpr size_t kOverhead = 5;  // of a signature, in records
    size_t records = 1 << 23;
};

// The signatures of lives of one origin. Bounded: what comes when it is full is only counted.
class Signatures {
public:
    static constexpr size_t kMost = 256;
    static constexpr size_t kMostRecords = 1 << 14;

    template <typename Life>
    void add(const Life& life, SignatureRoom& room) {
        ++lives_;
        if (const auto found = known_.find(life.signature.value()); found != known_.end()) {
            ++found->second.lives;
            return;
        }
        if (known_.size() >= kMost || records_ >= kMostRecords || !life.history.whole()) return;
        const size_t needed = life.history.unordered().size() + SignatureRoom::kOverhead;
        if (room.records < needed) return;
        room.records -= needed;
        Signature& made = known_[life.signature.value()];
        made.records = life.history.in_order();
        made.address = life.address;
        made.size = life.size;
        made.lives = 1;
        records_ += made.records.size();
    }

    // Takes back a life that turned out not to have ended well.
    void remove(uint64_t signature, SignatureRoom& room) {
        if (lives_ != 0) --lives_;
        const auto found = known_.find(signature);
        if (found == known_.end()) return;
        if (--found->second.lives == 0) {
            records_ -= found->second.records.size();
            room.records += found->second.records.size() + SignatureRoom::kOverhead;
            known_.erase(found);
        }
    }

    uint64_t lives() const { return lives_; }
    const std::unordered_map<uint64_t, Signature>& known() const { return known_; }

private:
    std::unordered_map<uint64_t, Signature> known_;
    uint64_t lives_ = 0;
    size_t records_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LIFE_SIGNATURE_H
