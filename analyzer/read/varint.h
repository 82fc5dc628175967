// Number codings of the trace format: unsigned LEB128 and zigzag, decoded without bounds checks.
// Encoding is coding.h's, the shim's own.
//
// The caller guarantees kDecodePadding readable bytes after the last valid one and checks, after
// a whole record, that it did not run past the end: one check per record instead of one per byte.
#ifndef LASTREF_ANALYZER_READ_VARINT_H
#define LASTREF_ANALYZER_READ_VARINT_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "coding.h"

namespace lastref {

// The longest record without texts: op byte and at most 11 numbers of at most 10 bytes.
inline constexpr size_t kDecodePadding = 128;

// Numbers of three bytes and more. Returns nullptr for a coding longer than 64 bits.
inline const uint8_t* read_long_varint(const uint8_t* at, uint64_t& value) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    const uint64_t ends = ~word & 0x8080808080808080u;
    if (ends != 0) [[likely]] {
        // Keep the bytes up to the first without a continuation bit, then close the gaps that
        // the continuation bits leave: pairs, then pairs of pairs, then halves.
        word &= ends ^ (ends - 1);
        word = (word & 0x007f007f007f007f) | ((word & 0x7f007f007f007f00) >> 1);
        word = (word & 0x00003fff00003fff) | ((word & 0x3fff00003fff0000) >> 2);
        value = (word & 0x000000000fffffff) | ((word & 0x0fffffff00000000) >> 4);
        return at + (std::countr_zero(ends) >> 3) + 1;
    }
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = *at++;
        value |= uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return shift == 63 && byte > 1 ? nullptr : at;
    }
    return nullptr;
}

inline const uint8_t* read_varint(const uint8_t* at, uint64_t& value) {
    if (at[0] < 0x80) {
        value = at[0];
        return at + 1;
    }
    if (at[1] < 0x80) {
        value = (at[0] & 0x7fu) | uint64_t{at[1]} << 7;
        return at + 2;
    }
    return read_long_varint(at, value);
}

inline int64_t unzigzag(uint64_t value) {
    return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}

// Of a difference that is counted modulo 2^64.
inline uint64_t zigzag(uint64_t difference) {
    return coding::zigzag(static_cast<int64_t>(difference));
}

// To the end of a string or vector of bytes.
template <typename Bytes>
void append_varint(Bytes& to, uint64_t value) {
    uint8_t room[10];
    to.insert(to.end(), room, coding::put_varint(room, value));
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_VARINT_H
