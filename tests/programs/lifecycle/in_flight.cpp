// Row 32 of doc/lifecycle-bugs.md, a decoy: a server is killed while buffers are in flight.
//
// Truth: 1,000 buffers 'Frame' pass through a pipe of 8: each is retained on its way in, and ends
// when the 8th after it comes. The process then kills itself by SIGKILL with 8 frames in flight, no
// older than any of their peers became. That is no leak. The line before the kill is written.
#include <signal.h>
#include <unistd.h>

#include "buffer.h"

class Wire {
public:
    static constexpr int kDepth = 8;

    FRAME void send(Buffer* frame) {
        frame->retain();
        Buffer*& place = frames_[sent_++ % kDepth];
        if (place) place->release();
        place = frame;
    }

private:
    Buffer* frames_[kDepth] = {};
    int sent_ = 0;
};

FRAME static void produce(Wire& wire) {
    Buffer* frame = Buffer::create("Frame");
    wire.send(frame);
    frame->release();
}

int main() {
    Wire wire;
    for (int i = 0; i < 1008; ++i) produce(wire);
    const char line[] = "1008 frames sent\n";
    if (write(1, line, sizeof line - 1) != sizeof line - 1) return 1;
    kill(getpid(), SIGKILL);
}
