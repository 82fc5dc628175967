#include "report/protobuf.h"

#include <cstring>

#include "read/varint.h"

namespace lastref {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };

}  // namespace

void ProtobufMessage::always(uint32_t field, uint64_t value) {
    append_varint(bytes_, uint64_t{field} << 3 | kVarint);
    append_varint(bytes_, value);
}

void ProtobufMessage::real(uint32_t field, double value) {
    append_varint(bytes_, uint64_t{field} << 3 | kFixed64);
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    bytes_.append(bytes, sizeof(value));
}

void ProtobufMessage::text(uint32_t field, std::string_view bytes) {
    append_varint(bytes_, uint64_t{field} << 3 | kLengthDelimited);
    append_varint(bytes_, bytes.size());
    bytes_.append(bytes);
}

void ProtobufMessage::packed(uint32_t field, std::span<const uint64_t> values) {
    ProtobufMessage list;
    for (const uint64_t value : values) append_varint(list.bytes_, value);
    text(field, list.bytes_);
}

}  // namespace lastref
