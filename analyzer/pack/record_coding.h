// A record of a chunk as its fields, and the fields as a record again, both by the coding rules of
// trace_format.h and its kFields table. Unlike RecordDecoder, which makes an Event for analysis,
// this keeps what is needed to give the same bytes back.
#ifndef LASTREF_ANALYZER_PACK_RECORD_CODING_H
#define LASTREF_ANALYZER_PACK_RECORD_CODING_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "read/varint.h"
#include "trace_format.h"

namespace lastref::packed {

// Fields that the op does not have are zero. Addresses and the stack are absolute, the time is not.
struct RecordFields {
    uint64_t time = 0;  // ticks since the chunk's previous record
    uint64_t address = 0;
    uint64_t other = 0;
    uint64_t size = 0;
    uint64_t other_size = 0;
    uint64_t value = 0;  // as coded: zigzag
    uint64_t detail = 0;
    uint64_t string = 0;
    uint64_t stack = 0;
    std::string_view text;
    std::string_view text2;
    uint8_t op = 0;
};

// The values that a chunk's deltas refer to.
struct ChunkState {
    uint64_t address = 0;
    uint64_t stack = 0;
};

using coding::put_varint;

// Returns the end of the record at `at`, or nullptr where it is impossible or runs over `end`;
// kDecodePadding bytes after `end` must be readable. The texts lie in the record.
inline const uint8_t* read_record(const uint8_t* at, const uint8_t* end, ChunkState& state,
                                  RecordFields& record) {
    using namespace trace;
    const uint8_t head = *at++;
    record = RecordFields{};
    record.op = head & kOpMask;
    if (record.op >= static_cast<uint8_t>(Op::kOpCount)) return nullptr;
    const uint16_t has = kFields[record.op];
    if (has == 0) return nullptr;
    uint64_t number = 0;
    const auto address = [&](uint64_t& to) {
        if ((at = read_varint(at, number)) == nullptr) return false;
        const auto delta = static_cast<uint64_t>(unzigzag(number));
        to = state.address += head & kByteAddress ? delta : delta * 16;
        return true;
    };
    const auto text = [&](std::string_view& to) {
        if ((at = read_varint(at, number)) == nullptr || at > end || number > kMaxText ||
            number > static_cast<uint64_t>(end - at)) {
            return false;
        }
        to = {reinterpret_cast<const char*>(at), static_cast<size_t>(number)};
        at += number;
        return true;
    };
    if ((has & fTime) && (at = read_varint(at, record.time)) == nullptr) return nullptr;
    if ((has & fAddress) && !address(record.address)) return nullptr;
    if ((has & fOther) && !address(record.other)) return nullptr;
    if ((has & fSize) && (at = read_varint(at, record.size)) == nullptr) return nullptr;
    if ((has & fOtherSize) && (at = read_varint(at, record.other_size)) == nullptr) return nullptr;
    if ((has & fValue) && (at = read_varint(at, record.value)) == nullptr) return nullptr;
    if ((has & fDetail) && (at = read_varint(at, record.detail)) == nullptr) return nullptr;
    if ((has & fString) && (at = read_varint(at, record.string)) == nullptr) return nullptr;
    if ((has & fText) && !text(record.text)) return nullptr;
    if ((has & fText2) && !text(record.text2)) return nullptr;
    if ((has & fStack) && !(head & kNoStack)) {
        if (!(head & kSameStack)) {
            if ((at = read_varint(at, number)) == nullptr) return nullptr;
            state.stack += static_cast<uint64_t>(unzigzag(number));
        }
        if (state.stack > UINT32_MAX) return nullptr;
        record.stack = state.stack;
    }
    return at > end ? nullptr : at;
}

// Writes the record as the shim does and returns its end. Needs room for kMaxRecordSize bytes.
inline uint8_t* write_record(uint8_t* to, const RecordFields& record, ChunkState& state) {
    using namespace trace;
    const uint16_t has = kFields[record.op];
    uint8_t* const head = to++;
    *head = record.op;
    if (has & fTime) to = put_varint(to, record.time);
    if (has & (fAddress | fOther)) {
        const uint64_t first = has & fAddress ? record.address : record.other;
        uint64_t odd = first - state.address;
        if ((has & fAddress) && (has & fOther)) odd |= record.other - first;
        const bool bytes = (odd & 15) != 0;
        if (bytes) *head |= kByteAddress;
        const auto put_address = [&](uint64_t address) {
            auto delta = static_cast<int64_t>(address - state.address);
            if (!bytes) delta /= 16;
            to = put_varint(to, zigzag(static_cast<uint64_t>(delta)));
            state.address = address;
        };
        if (has & fAddress) put_address(record.address);
        if (has & fOther) put_address(record.other);
    }
    if (has & fSize) to = put_varint(to, record.size);
    if (has & fOtherSize) to = put_varint(to, record.other_size);
    if (has & fValue) to = put_varint(to, record.value);
    if (has & fDetail) to = put_varint(to, record.detail);
    if (has & fString) to = put_varint(to, record.string);
    const auto put_text = [&](std::string_view text) {
        to = put_varint(to, text.size());
        to = std::copy(text.begin(), text.end(), to);
    };
    if (has & fText) put_text(record.text);
    if (has & fText2) put_text(record.text2);
    if (has & fStack) {
        if (record.stack == 0) {
            *head |= kNoStack;
        } else if (record.stack == state.stack) {
            *head |= kSameStack;
        } else {
            to = put_varint(to, zigzag(record.stack - state.stack));
            state.stack = record.stack;
        }
    }
    return to;
}

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_RECORD_CODING_H
