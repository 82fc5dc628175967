// Predicts the next record of a log from those before it; only where a prediction is wrong
// the record itself is kept. One function, in both directions (columns.h).
//
// The kind of record and its stack are guessed from the one or two records before it in the log;
// numbers from the last record of the same kind and stack; addresses of heap blocks by BlockModel.
// The fields that the table kFields of trace_format.h gives to an op are packed, whatever the op:
// only is_begin() and is_end() know ops.
#ifndef LASTREF_ANALYZER_PACK_RECORD_MODEL_H
#define LASTREF_ANALYZER_PACK_RECORD_MODEL_H

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "pack/block_model.h"
#include "pack/columns.h"
#include "pack/record_coding.h"
#include "trace_format.h"

namespace lastref::packed {

template <typename Port>
class RecordModel {
public:
    // `logs`: of the segment, at most BlockModel::kMaxLogs. `records`: about how many there are;
    // both directions must say the same.
    RecordModel(Port& port, uint32_t logs, uint64_t records)
        : port_(port),
          key_bits_(std::clamp(static_cast<int>(std::bit_width(records)), 8, 17)),
          second_order_(size_t{1} << key_bits_),
          first_order_(size_t{1} << key_bits_),
          habits_(size_t{1} << key_bits_),
          numbers_(kNumbers),
          logs_(logs),
          blocks_(logs) {}

    // Packs the record, or makes it. False where what is unpacked is impossible.
    bool record(uint32_t log_number, RecordFields& record) {
        using namespace trace;
        Log& log = logs_[log_number];
        uint64_t key = 0;
        if (!this->key(log, record, key)) return false;
        const uint16_t has = kFields[record.op];
        Habit& habit = habits_[slot(key)];
        uint32_t made_with = static_cast<uint32_t>(record.stack);
        if (has & fSize) {
            uint64_t guess = habit.size;
            number(kSize, guess, record.size);
            habit.size = static_cast<uint32_t>(guess);
        }
        if (has & fAddress) {
            if (is_begin(record.op)) {
                if (!blocks_.begin(port_, log_number, record.size, made_with, record.address)) {
                    return false;
                }
                log.last_address = record.address;
            } else if (is_end(record.op)) {
                uint32_t stack = 0;
                if (!blocks_.end(port_, log_number, habit.end, record.address, stack)) return false;
                if (record.stack == 0) made_with = stack;
                log.last_address = record.address;
                log.recent[0] = record.address;
            } else if (!near(log, key, record.address)) {
                return false;
            }
        }
        if ((has & fOther) && !near(log, key + fOther, record.other)) return false;
        if (has & fOtherSize) other_number(key, fOtherSize, record.other_size);
        if (has & fValue) other_number(key, fValue, record.value);
        if (has & fDetail) other_number(key, fDetail, record.detail);
        if (has & fString) other_number(key, fString, record.string);
        if ((has & fText) && !text(record.text)) return false;
        if ((has & fText2) && !text(record.text2)) return false;
        if (has & fTime) time(habit, record.time);
        log.key2 = log.key1;
        log.key1 = key_of(record.op, made_with);
        return !port_.failed();
    }

private:
    static constexpr size_t kNumbers = 1u << 12;
    static constexpr size_t kRecent = 8;
    // Tokens of kKeyToken.
    static constexpr uint8_t kSecondOrder = 0, kFirstOrder = 1, kNewHighest = 2, kUnforeseen = 3;
    // Tokens of kNearToken: a step from the last address, one of the recent ones, or spelt out.
    static constexpr uint8_t kStep = 0, kRecent1 = 1, kFar = 254, kFarUnaligned = 255;
    // Longer times are spelt out: kLongTime plus how many bytes.
    static constexpr uint8_t kLongTime = 240;

    struct Log {
        uint64_t key1 = 0, key2 = 0;  // of the record before and that before it
        uint64_t last_stack = 0;
        uint64_t last_address = 0;
        std::array<uint64_t, kRecent> recent{};  // [0]: the block that ended last
    };
    // The values of the last record with the same key.
    struct Habit {
        uint32_t size = 0;  // larger ones are never guessed
        uint8_t end = 0;    // guess of BlockModel
        uint8_t time = 0;   // magnitude
    };

    static bool is_begin(uint8_t op) {
        using trace::Op;
        return op == static_cast<uint8_t>(Op::kMalloc) || op == static_cast<uint8_t>(Op::kCalloc) ||
               op == static_cast<uint8_t>(Op::kMemalign) ||
               op == static_cast<uint8_t>(Op::kRealloc);
    }
    static bool is_end(uint8_t op) {
        using trace::Op;
        return op == static_cast<uint8_t>(Op::kFree) ||
               op == static_cast<uint8_t>(Op::kReallocBegin);
    }
    static uint64_t key_of(uint8_t op, uint64_t stack) { return stack << 8 | op; }
    static uint64_t mixed(uint64_t a, uint64_t b) {
        a = (a ^ b) * 0x9e3779b97f4a7c15u;
        return a ^ a >> 29;
    }
    size_t slot(uint64_t key) const {
        return static_cast<size_t>(mixed(key, 2) * 0x9e3779b97f4a7c15u >> (64 - key_bits_));
    }

    bool key(Log& log, RecordFields& record, uint64_t& key) {
        uint64_t& first = first_order_[slot(log.key1)];
        uint64_t& second = second_order_[slot(mixed(log.key1, log.key2))];
        uint8_t token = 0;
        if constexpr (Port::kPacks) {
            key = key_of(record.op, record.stack);
            token = key == second                   ? kSecondOrder
                    : key == first                  ? kFirstOrder
                    : record.stack > highest_stack_ ? kNewHighest
                                                    : kUnforeseen;
        }
        port_.byte(kKeyToken, token);
        if (token >= kNewHighest) {
            if (!spelt_key(log, token, record)) return false;
            key = key_of(record.op, record.stack);
        } else {
            key = token == kSecondOrder ? second : first;
            record.op = static_cast<uint8_t>(key & 0xff);
            record.stack = key >> 8;
            if (key == 0) return false;  // nothing was there yet
        }
        first = second = key;
        highest_stack_ = std::max(highest_stack_, record.stack);
        if (record.stack != 0) log.last_stack = record.stack;
        return true;
    }

    bool spelt_key(const Log& log, uint8_t token, RecordFields& record) {
        using namespace trace;
        uint8_t op = record.op;
        uint64_t number = 0;
        if constexpr (Port::kPacks) {
            if (record.stack != 0) op |= kHasStack;
            number = token == kNewHighest ? record.stack - highest_stack_
                                          : zigzag(record.stack - log.last_stack);
        }
        port_.byte(kOp, op);
        record.op = op & kOpMask;
        if (record.op >= static_cast<uint8_t>(Op::kOpCount) || kFields[record.op] == 0)
            return false;
        if ((op & kHasStack) == 0) return token == kUnforeseen;
        if (token == kNewHighest) {
            port_.number(kNewStack, number);
            record.stack = highest_stack_ + number;
        } else {
            port_.number(kOldStack, number);
            record.stack = log.last_stack + static_cast<uint64_t>(unzigzag(number));
        }
        return (kFields[record.op] & fStack) != 0 && record.stack != 0 &&
               record.stack <= UINT32_MAX && token <= kUnforeseen;
    }

    // 0: as guessed; else the number, plus one where it is below the guess, so that none is lost.
    void number(Column column, uint64_t& guess, uint64_t& value) {
        uint64_t coded = 0;
        if constexpr (Port::kPacks) coded = value == guess ? 0 : value < guess ? value + 1 : value;
        port_.number(column, coded);
        value = coded == 0 ? guess : coded <= guess ? coded - 1 : coded;
        guess = value;
    }
    uint64_t& number_slot(uint64_t key, uint64_t field) {
        return numbers_[mixed(mixed(key, field), 3) % kNumbers];
    }
    void other_number(uint64_t key, uint64_t field, uint64_t& value) {
        number(kNumber, number_slot(key, field), value);
    }

    bool near(Log& log, uint64_t key, uint64_t& address) {
        uint64_t& step = number_slot(key, trace::fAddress);
        uint8_t token = kStep;
        uint64_t distance = 0;
        if constexpr (Port::kPacks) {
            distance = address - log.last_address;
            if (distance != step) {
                const auto found = std::find(log.recent.begin(), log.recent.end(), address);
                if (found != log.recent.end()) {
                    token = static_cast<uint8_t>(kRecent1 + (found - log.recent.begin()));
                } else {
                    const auto apart = static_cast<int64_t>(distance);
                    token = apart % 16 == 0 ? kFar : kFarUnaligned;
                    distance = zigzag(static_cast<uint64_t>(token == kFar ? apart / 16 : apart));
                }
            }
        }
        port_.byte(kNearToken, token);
        size_t place = kRecent - 1;
        if (token == kStep) {
            address = log.last_address + step;
            const auto found = std::find(log.recent.begin() + 1, log.recent.end(), address);
            if (found != log.recent.end()) place = static_cast<size_t>(found - log.recent.begin());
        } else if (token >= kFar) {
            port_.number(kNearAddress, distance);
            const auto apart = static_cast<uint64_t>(unzigzag(distance));
            address = log.last_address + (token == kFar ? apart * 16 : apart);
        } else if (token < kRecent1 + kRecent) {
            place = token - kRecent1;
            address = log.recent[place];
        } else {
            return false;
        }
        step = address - log.last_address;
        log.last_address = address;
        for (; place > 1; --place) log.recent[place] = log.recent[place - 1];
        if (place == 1) log.recent[1] = address;
        return true;
    }

    bool text(std::string_view& text) {
        uint64_t size = text.size();
        port_.number(kText, size);
        if (size > trace::kMaxText) return false;
        port_.bytes(kText, static_cast<size_t>(size), text);
        return !port_.failed();
    }

    void time(Habit& habit, uint64_t& time) {
        const auto column =
            static_cast<Column>(kTime + std::min<uint8_t>(habit.time, kTimeColumns - 1));
        auto code = static_cast<uint8_t>(time);
        if constexpr (Port::kPacks) {
            if (time >= kLongTime) {
                code = static_cast<uint8_t>(kLongTime + (std::bit_width(time) + 7) / 8);
            }
        }
        port_.byte(column, code);
        if (code < kLongTime) {
            time = code;
        } else {
            uint64_t value = 0;
            for (unsigned i = 0; i < static_cast<unsigned>(code - kLongTime); ++i) {
                auto part = static_cast<uint8_t>(time >> (8 * (i & 7)));
                port_.byte(i == 0 ? kTimeLow : kTimeHigh, part);
                value |= uint64_t{part} << (8 * (i & 7));
            }
            time = value;
        }
        const auto magnitude = static_cast<uint8_t>(std::bit_width(time | 1));
        habit.time =
            habit.time == 0 ? magnitude : static_cast<uint8_t>((habit.time + magnitude + 1) / 2);
    }

    Port& port_;
    const int key_bits_;
    std::vector<uint64_t> second_order_, first_order_;
    std::vector<Habit> habits_;
    std::vector<uint64_t> numbers_;
    std::vector<Log> logs_;
    BlockModel blocks_;
    uint64_t highest_stack_ = 0;
};

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_RECORD_MODEL_H
