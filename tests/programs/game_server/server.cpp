// The game server of the demonstration: a WebSocket server with one session at a time.
//
//   game_server --port-file FILE [--retains N] [--sessions N]
//
// Listens on a free port of the loopback interface and writes its number to FILE, which may be a
// FIFO: then the client that reads it waits for the server, and the server for the client. Answers
// each hello with a reply and a notice. Ends with status 0 after N sessions (default: never).
//
// --retains N: references that the frame encoder takes for a reply; 2, the default, is the fault.
//
// Prints a gauge of used and peak buffer bytes each second, and once more at the end.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "outbound_pipeline.h"

namespace asio = boost::asio;
namespace beast = boost::beast;
using Socket = beast::websocket::stream<asio::ip::tcp::socket, false>;

namespace {

void print_gauge(const char* when) {
    const ByteBuf::Usage usage = ByteBuf::usage();
    std::printf("gauge %s: buffers %zu, used %.1f KiB, peak %.1f KiB\n", when, usage.buffers,
                static_cast<double>(usage.used) / 1024, static_cast<double>(usage.peak) / 1024);
    std::fflush(stdout);
}

// Prints the gauge each second until it is stopped.
class Gauge {
public:
    explicit Gauge(asio::io_context& context) : timer_(context) { wait(); }
    void stop() { timer_.cancel(); }

private:
    void wait() {
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([this](beast::error_code error) {
            if (error) return;
            print_gauge("now");
            wait();
        });
    }

    asio::steady_timer timer_;
};

// One client, from handshake to close. `ended` is called once, at the end.
class Session {
public:
    Session(asio::ip::tcp::socket socket, int retains, std::function<void()> ended)
        : socket_(std::move(socket)),
          ended_(std::move(ended)),
          pipeline_(retains, [this](BinaryWebSocketFrame frame) { send(frame); }) {}

    void start() {
        socket_.binary(true);
        socket_.next_layer().set_option(asio::ip::tcp::no_delay(true));
        socket_.async_accept([this](beast::error_code error) { error ? close() : read(); });
    }

private:
    void read() {
        socket_.async_read(received_, [this](beast::error_code error, size_t) {
            if (error) return close();
            const std::string hello = beast::buffers_to_string(received_.data());
            received_.consume(received_.size());
            answer(hello);
            read();
        });
    }

    // 'hello N'
    void answer(const std::string& hello) {
        const std::string prefix = "hello ";
        if (hello.compare(0, prefix.size(), prefix) != 0) return;
        const std::string player = hello.substr(prefix.size());
        const auto request = static_cast<uint32_t>(std::strtoul(player.c_str(), nullptr, 10));
        outbox_.push_back({MessageKind::kHelloReply, request, "welcome " + player});
        outbox_.push_back({MessageKind::kTableNotice, request, "player " + player + " sat down"});
        later([this] { flush(); });
    }

    void flush() {
        for (; !outbox_.empty(); outbox_.pop_front()) pipeline_.write(outbox_.front());
    }

    void send(BinaryWebSocketFrame frame) {
        queue_.push_back(frame);
        if (queue_.size() == 1) write_next();
    }

    void write_next() {
        const ByteBuf* payload = queue_.front().payload;
        socket_.async_write(
            asio::buffer(payload->data(), payload->size()),
            [this](beast::error_code error, size_t) { later([this, error] { written(error); }); });
    }

    void written(beast::error_code error) {
        // After an error nothing more is written, but every frame's reference is given back.
        do {
            OutboundPipeline::written(queue_.front());
            queue_.pop_front();
        } while (error && !queue_.empty());
        if (!queue_.empty()) write_next();
    }

    // The client is gone. A write that is under way ends with an error, and then the session.
    void close() {
        closed_ = true;
        beast::error_code ignored;
        socket_.next_layer().close(ignored);
        end_if_done();
    }

    void end_if_done() {
        if (closed_ && queue_.empty() && steps_ == 0) ended_();
    }

    // Runs a step of the server's own from the event loop, not from within the socket's handlers.
    template <typename Step>
    void later(Step step) {
        ++steps_;
        asio::post(socket_.get_executor(), [this, step] {
            --steps_;
            step();
            end_if_done();
        });
    }

    Socket socket_;
    std::function<void()> ended_;
    OutboundPipeline pipeline_;
    beast::flat_buffer received_;
    std::deque<GameMessage> outbox_;
    std::deque<BinaryWebSocketFrame> queue_;  // the first one is being written
    int steps_ = 0;                           // posted, not yet run
    bool closed_ = false;
};

struct Options {
    std::string port_file;
    int retains = 2;
    int sessions = -1;
};

[[noreturn]] void wrong_usage() {
    std::cerr << "usage: game_server --port-file FILE [--retains N] [--sessions N]\n";
    std::exit(2);
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--port-file")
            options.port_file = argv[i + 1];
        else if (name == "--retains")
            options.retains = std::atoi(argv[i + 1]);
        else if (name == "--sessions")
            options.sessions = std::atoi(argv[i + 1]);
        else
            wrong_usage();
    }
    if (argc % 2 == 0 || options.port_file.empty() || options.retains < 1) wrong_usage();
    return options;
}

void serve(const Options& options) {
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    {
        std::ofstream file(options.port_file);
        if (!(file << acceptor.local_endpoint().port() << std::endl))
            throw std::runtime_error("can't write " + options.port_file);
    }
    Gauge gauge(context);
    for (int served = 0; served != options.sessions; ++served) {
        bool ended = false;
        Session session(acceptor.accept(), options.retains, [&ended] { ended = true; });
        session.start();
        while (!ended) context.run_one();
    }
    gauge.stop();
    context.run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        serve(parse(argc, argv));
    } catch (const std::exception& error) {
        std::cerr << "game_server: " << error.what() << '\n';
        return 1;
    }
    print_gauge("at the end");
}
