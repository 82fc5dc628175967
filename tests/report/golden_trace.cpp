// Writes the trace that every report format has a golden file of, the same bytes each time. Names
// are in the trace, so no file of the machine matters; inlined frames, a function without a name,
// an odd name, two threads, and a type of its own are in it.
//
// Truth: 6 of 12 replies (64 bytes each) are retained once too often in Frame::encode, and leak
// with the heap blocks that they lie in; 2 of 3 mappings stay; 1 block of 1000 bytes is lost.
//
// Usage: golden_trace FILE
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "read/trace_names.h"
#include "support/trace_builder.h"

using namespace lastref;
using lastref::testing::TraceBuilder;

namespace {

constexpr uint64_t kServer = 0x400000, kLibrary = 0x7f0000000000;

// Where a call returns to; frames() looks at the byte before.
uint64_t in_server(uint64_t address) {
    return kServer + address + 1;
}
uint64_t in_library(uint64_t address) {
    return kLibrary + address + 1;
}

TraceNames names() {
    TraceNames names;
    names[{0, 0x10}] = {{"main", "/src/server.cpp", 40}};
    names[{0, 0x20}] = {{"Server::serve(int)", "/src/server.cpp", 21}};
    // make() was inlined into reply().
    names[{0, 0x30}] = {{"Reply::make(unsigned long)", "/src/reply.h", 9},
                        {"Server::reply()", "/src/server.cpp", 12}};
    names[{0, 0x34}] = {{"Server::reply()", "/src/server.cpp", 14}};
    names[{0, 0x38}] = {{"Server::flush()", "/src/server.cpp", 17}};
    names[{0, 0x40}] = {{"std::map<int, odd;\"<name>&\">::load()", "/src/odd name.cpp", 3}};
    names[{1, 0x10}] = {{"Frame::encode(Reply&)", "/src/frame.c", 7}};
    names[{1, 0x20}] = {};  // a library without symbols
    return names;
}

void serve(TraceBuilder& builder) {
    const uint64_t base = in_server(0x10), loop = in_server(0x20);
    const uint32_t make = builder.stack({in_server(0x30), loop, base});
    const uint32_t encode = builder.stack({in_library(0x10), in_server(0x34), loop, base});
    const uint32_t flush = builder.stack({in_server(0x38), loop, base});
    const uint32_t nameless = builder.stack({in_library(0x20), in_server(0x34), loop, base});
    for (uint64_t i = 0; i < 12; ++i) {
        const uint64_t block = 0x5000'0000'1000 + i * 0x100, reply = block + 16;
        builder.now += 1'000'000;
        builder.log = 1 + i % 2;
        builder.malloc(block, 96, make).create(reply, 64, "Reply", make);
        builder.retain(reply, encode);
        if (i % 2 == 1) builder.retain(reply, encode);
        builder.touch(reply, "sent", nameless).release(reply, flush).release(reply, flush);
        if (i % 2 == 0) builder.free(block, flush);
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    TraceBuilder builder;
    std::strcpy(builder.header.executable, "/opt/shop/server");
    std::memcpy(builder.header.command, "server\0--port\09", 15);
    builder.header.command_size = 15;
    builder.load(0, kServer, 0x10000, "/opt/shop/server", "\x0a\x0b\x0c\x0d");
    builder.load(1, kLibrary, 0x10000, "/opt/shop/libframe.so", "\x01\x02\x03\x04");
    builder.thread_info(1, 42, "server").thread_info(2, 43, "worker");
    const uint32_t load = builder.stack({in_server(0x40), in_server(0x10)});
    builder.malloc(0x5000'0000'0100, 1000, load).mmap(0x7000'0000'0000, 8192, load);
    builder.realloc_begin(0x5000'0000'0100)
        .realloc_end(0x5000'0000'0100, 0x5000'0000'0800, 2000, load);
    builder.mmap(0x7000'0000'4000, 4096, load).mmap(0x7000'0000'8000, 4096, load);
    builder.munmap(0x7000'0000'8000, 4096, load);
    serve(builder);
    std::vector<uint8_t> bytes = builder.bytes();
    const std::string encoded = encode_names(names());
    trace::TraceHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    header.names_offset =
        (bytes.size() + trace::kChunkUnit - 1) / trace::kChunkUnit * trace::kChunkUnit;
    header.names_size = encoded.size();
    std::memcpy(bytes.data(), &header, sizeof(header));
    bytes.resize(header.names_offset);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    std::ofstream file(arguments[1], std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file.good() ? 0 : 1;
}
