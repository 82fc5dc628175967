// 'The framework': takes a message through the encoders to the transport.
//
// Its rule is that of Netty's MessageToMessageEncoder: what was handed to an encoder is released
// after that encoder returned. An encoder that passes its input on must retain it.
#ifndef GAME_SERVER_OUTBOUND_PIPELINE_H
#define GAME_SERVER_OUTBOUND_PIPELINE_H

#include <functional>

#include "frame_encoder.h"
#include "protocol_encoder.h"

class OutboundPipeline {
public:
    using Transport = std::function<void(BinaryWebSocketFrame)>;

    OutboundPipeline(int reply_retains, Transport transport)
        : frame_encoder_(reply_retains), transport_(std::move(transport)) {}

    void write(const GameMessage& message);

    // The transport is done with the frame.
    static void written(BinaryWebSocketFrame frame);

private:
    MahjongProtocolEncoder protocol_encoder_;
    BinaryWebSocketFrameEncoder frame_encoder_;
    Transport transport_;
};

#endif
