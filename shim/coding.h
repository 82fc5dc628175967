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
inline uint64_t zigzag(int64_t value) {
    return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
inline uint8_t* put_svarint(uint8_t* p, int64_t value) {
    return put_varint(p, zigzag(value));
}
inline uint8_t* put_text(uint8_t* p, const void* text, uint32_t size) {
    p = put_varint(p, size);
    memcpy(p, text, size);
    return p + size;
}

}  // namespace lastref::coding

#endif  // LASTREF_SHIM_CODING_H
