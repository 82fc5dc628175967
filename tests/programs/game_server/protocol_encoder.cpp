#include "protocol_encoder.h"

#include <stdexcept>

namespace {

// Messages are short; a buffer of one size suits all of them.
constexpr size_t kBufferSize = 256;

}  // namespace

ByteBuf* MahjongProtocolEncoder::encode(const GameMessage& message) {
    if (kHeaderSize + message.body.size() > kBufferSize)
        throw std::length_error("message too long");
    ByteBuf* buffer = ByteBuf::allocate(kBufferSize);
    buffer->append_u32(kMagic);
    buffer->append_u16(kVersion);
    buffer->append_u16(static_cast<uint16_t>(message.kind));
    buffer->append_u32(message.request);
    buffer->append(message.body);
    return buffer;
}
