// A reference-counted byte buffer of the game server, after Netty's: whoever holds one calls
// retain, whoever is done calls release, and the last release frees it.
//
// Every counting operation is reported to lastref. A new buffer has count 1.
#ifndef GAME_SERVER_BYTE_BUF_H
#define GAME_SERVER_BYTE_BUF_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

class ByteBuf {
public:
    static ByteBuf* allocate(size_t capacity);

    ByteBuf* retain();
    void release();

    void append_u16(uint16_t value);  // big-endian
    void append_u32(uint32_t value);
    void append(std::string_view bytes);

    const char* data() const { return reinterpret_cast<const char*>(this + 1); }
    size_t size() const { return size_; }

    // Bytes of all buffers now, and the most there ever were: the server's gauge.
    struct Usage {
        size_t buffers, used, peak;
    };
    static Usage usage();

private:
    explicit ByteBuf(size_t capacity) : capacity_(capacity) {}

    std::atomic<int> count_{1};
    size_t capacity_;
    size_t size_ = 0;
};

#endif
