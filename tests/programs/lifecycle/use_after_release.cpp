// Row 24 of doc/lifecycle-bugs.md: a use after the last release.
//
// Truth: 44 buffers 'Request' are touched while alive ('parsed') and end in Server::answer. 4 of
// them are touched again after that ('logged'), in AccessLog::late_entry. None leaks.
#include "buffer.h"

struct AccessLog {
    FRAME void late_entry(Buffer* request) { lastref_touch(request, "logged"); }
};

struct Server {
    FRAME void parse(Buffer* request) { lastref_touch(request, "parsed"); }
    FRAME void answer(Buffer* request) { request->release(); }
};

int main() {
    Server server;
    AccessLog log;
    for (int i = 0; i < 44; ++i) {
        Buffer* request = Buffer::create("Request");
        server.parse(request);
        server.answer(request);
        if (i % 11 == 0) log.late_entry(request);
    }
    std::puts("44 requests");
}
