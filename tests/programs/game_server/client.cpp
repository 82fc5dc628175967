// The mock client of the demonstration.
//
//   game_client --port-file FILE [--requests N]
//
// Sends N hellos (default 1000), one at a time, checks the reply and the notice that follow each,
// and closes the session in an orderly way. Status 0 when every answer was right.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "messages.h"

namespace asio = boost::asio;
namespace beast = boost::beast;
using Socket = beast::websocket::stream<asio::ip::tcp::socket, false>;

namespace {

uint32_t number(const std::string& bytes, size_t at, size_t size) {
    uint32_t value = 0;
    for (size_t i = at; i < at + size; ++i) value = value << 8 | static_cast<uint8_t>(bytes.at(i));
    return value;
}

void expect(Socket& socket, MessageKind kind, uint32_t request, const std::string& body) {
    beast::flat_buffer buffer;
    socket.read(buffer);
    const std::string message = beast::buffers_to_string(buffer.data());
    const bool right = socket.got_binary() && message.size() == kHeaderSize + body.size() &&
                       number(message, 0, 4) == kMagic && number(message, 4, 2) == kVersion &&
                       number(message, 6, 2) == static_cast<uint32_t>(kind) &&
                       number(message, 8, 4) == request && message.substr(kHeaderSize) == body;
    if (!right) throw std::runtime_error("wrong answer to request " + std::to_string(request));
}

void play(const std::string& port_file, uint32_t requests) {
    uint16_t port = 0;
    if (!(std::ifstream(port_file) >> port)) throw std::runtime_error("no port in " + port_file);

    asio::io_context context;
    Socket socket(context);
    socket.next_layer().connect({asio::ip::address_v4::loopback(), port});
    socket.next_layer().set_option(asio::ip::tcp::no_delay(true));
    socket.handshake("127.0.0.1", "/table");
    for (uint32_t request = 1; request <= requests; ++request) {
        const std::string player = std::to_string(request);
        socket.write(asio::buffer("hello " + player));
        expect(socket, MessageKind::kHelloReply, request, "welcome " + player);
        expect(socket, MessageKind::kTableNotice, request, "player " + player + " sat down");
    }
    socket.close(beast::websocket::close_code::normal);
}

}  // namespace

int main(int argc, char** argv) {
    std::string port_file;
    uint32_t requests = 1000;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--port-file")
            port_file = argv[i + 1];
        else if (name == "--requests")
            requests = static_cast<uint32_t>(std::atoi(argv[i + 1]));
    }
    try {
        play(port_file, requests);
    } catch (const std::exception& error) {
        std::cerr << "game_client: " << error.what() << '\n';
        return 1;
    }
    std::cout << requests << " hellos answered\n";
}
