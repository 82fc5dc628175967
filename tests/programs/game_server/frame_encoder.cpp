#include "frame_encoder.h"

// THE FAULT: a frame lives until it was written and owns one reference until then. Replies are
// retained once more, 'to be safe': somebody saw that the framework releases what it hands to an
// encoder and didn't see that the first retain is there for just that. Nobody gives the second
// reference back, so every reply's buffer stays for ever, at count 1.
//
// Notices go through the same line once: they are freed as they should be, and they are what a
// leaked buffer's history can be compared with.

BinaryWebSocketFrame BinaryWebSocketFrameEncoder::encode(ByteBuf& message, MessageKind kind) {
    const bool reply = kind == MessageKind::kHelloReply;
    const int retains = reply ? reply_retains_ : 1;

    for (int taken = 0; taken < retains; ++taken) message.retain();
    return {&message};
}
