// Row 23 of doc/lifecycle-bugs.md: a release too many.
//
// Truth: 50 buffers 'Packet' live right lives: create, retain, release, release. 3 are released a
// third time, in Connection::close, after their count reached zero. None leaks.
#include "buffer.h"

struct Connection {
    FRAME void send(Buffer* packet) {
        packet->retain();
        packet->release();
    }
    FRAME void close(Buffer* packet) { packet->release(); }
};

FRAME static void serve(Connection& connection, bool close_twice) {
    Buffer* packet = Buffer::create("Packet");
    connection.send(packet);
    packet->release();
    if (close_twice) connection.close(packet);
}

int main() {
    Connection connection;
    for (int i = 0; i < 53; ++i) serve(connection, i % 20 == 10);
    std::puts("53 packets");
}
