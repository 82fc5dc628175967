#include "outbound_pipeline.h"

void OutboundPipeline::write(const GameMessage& message) {
    ByteBuf* encoded = protocol_encoder_.encode(message);
    const BinaryWebSocketFrame frame = frame_encoder_.encode(*encoded, message.kind);
    encoded->release();
    transport_(frame);
}

void OutboundPipeline::written(BinaryWebSocketFrame frame) {
    frame.payload->release();
}
