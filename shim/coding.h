// The number codings of the trace format (RECORDS in trace_format.h), as bytes at `p`; each returns
// the place behind. There must be room.
#ifndef LASTREF_SHIM_CODING_H
#define LASTREF_SHIM_CODING_H

#include <stdint.h>
#include <string.h>

namespace lastref::coding {

inline uint8_t* put_varint(uint8_t* p, uint64_t value) {
    while (value >= 0x80) {
        *p++ = static_cast<uint8_t>(value | 0x80);
        value >>= 7;
    }
    *p++ = static_cast<uint8_t>(value);
    return p;
}
// The same in straight code for what fits into four bytes, where the length changes from one number
// to the next: a mispredicted branch costs more than the whole number. Writes four bytes.
inline uint8_t* put_any_varint(uint8_t* p, uint64_t value) {
    if (value >> 28 != 0) [[unlikely]]
        return put_varint(p, value);
    // The bits that say that one more byte follows, by how many do.
    static constexpr uint32_t kMore[] = {0, 0x80, 0x8080, 0x808080};
    const auto v = static_cast<uint32_t>(value);
    // Not by the highest bit's number: what the baseline has for that is slow on AMD's processors.
    const unsigned more = (v > 0x7f) + (v > 0x3fff) + (v > 0x1fffff);
    uint32_t spread = (v & 0x3fff) | (v & 0xfffc000) << 2;
    spread = (spread & 0x7f007f) | (spread & 0x3f803f80) << 1;
    spread |= kMore[more];
    memcpy(p, &spread, sizeof(spread));
    return p + more + 1;
}
inline uint64_t zigzag(int64_t value) {
    return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
inline uint8_t* put_svarint(uint8_t* p, int64_t value) {
    return put_varint(p, zigzag(value));
}
inline uint8_t* put_any_svarint(uint8_t* p, int64_t value) {
    return put_any_varint(p, zigzag(value));
}
inline uint8_t* put_text(uint8_t* p, const void* text, uint32_t size) {
    p = put_varint(p, size);
    memcpy(p, text, size);
    return p + size;
}

}  // namespace lastref::coding

#endif  // LASTREF_SHIM_CODING_H
