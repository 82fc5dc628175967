// Second stage of the outbound pipeline: bytes become a binary WebSocket frame.
#ifndef GAME_SERVER_FRAME_ENCODER_H
#define GAME_SERVER_FRAME_ENCODER_H

#include "byte_buf.h"
#include "messages.h"

// Owns one reference of its payload, until it was written.
struct BinaryWebSocketFrame {
    ByteBuf* payload;
};

class BinaryWebSocketFrameEncoder {
public:
    // `reply_retains`: references taken for a reply. 1 is right, 2 is the fault of the incident.
    explicit BinaryWebSocketFrameEncoder(int reply_retains) : reply_retains_(reply_retains) {}

    // The framework releases `message` after this returns, so the frame needs its own reference.
    BinaryWebSocketFrame encode(ByteBuf& message, MessageKind kind);

private:
    int reply_retains_;
};

#endif
