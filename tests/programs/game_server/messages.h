// The messages of server and client, and their bytes on the wire.
//
// A message is one binary WebSocket frame: a header of 12 bytes, all big-endian, then the body.
//   u32 magic   u16 version   u16 kind   u32 request   body...
#ifndef GAME_SERVER_MESSAGES_H
#define GAME_SERVER_MESSAGES_H

#include <cstdint>
#include <string>

enum class MessageKind : uint16_t {
    kHello = 1,        // client: 'hello N'
    kHelloReply = 2,   // server, to whoever asked: 'welcome N'
    kTableNotice = 3,  // server, to everybody at the table, the new player too: 'player N sat down'
};

struct GameMessage {
    MessageKind kind;
    uint32_t request;
    std::string body;
};

inline constexpr uint32_t kMagic = 0x4d4a4f4e;  // "MJON"
inline constexpr uint16_t kVersion = 1;
inline constexpr size_t kHeaderSize = 12;

#endif
