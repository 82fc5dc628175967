// First stage of the outbound pipeline: a game message becomes bytes.
#ifndef GAME_SERVER_PROTOCOL_ENCODER_H
#define GAME_SERVER_PROTOCOL_ENCODER_H

#include "byte_buf.h"
#include "messages.h"

class MahjongProtocolEncoder {
public:
    // The caller owns the one reference of the buffer.
    ByteBuf* encode(const GameMessage& message);
};

#endif
