#include "report/protobuf.h"

#include <cstring>

namespace lastref {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };

}  // namespace

void ProtobufMessage::varint(uint64_t value) {
    while (value >= 0x80) {
        bytes_ += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    bytes_ += static_cast<char>(value);
}

void ProtobufMessage::always(uint32_t field, uint64_t value) {
    varint(uint64_t{field} << 3 | kVarint);
    varint(value);
}

void ProtobufMessage::real(uint32_t field, double value) {
    varint(uint64_t{field} << 3 | kFixed64);
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    bytes_.append(bytes, sizeof(value));
}

void ProtobufMessage::text(uint32_t field, std::string_view bytes) {
    varint(uint64_t{field} << 3 | kLengthDelimited);
    varint(bytes.size());
    bytes_.append(bytes);
}

void ProtobufMessage::packed(uint32_t field, std::span<const uint64_t> values) {
    ProtobufMessage list;
    for (const uint64_t value : values) list.varint(value);
    text(field, list.bytes_);
}

}  // namespace lastref
