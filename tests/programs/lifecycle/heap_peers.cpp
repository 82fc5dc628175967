// Plain heap blocks of which most are freed: what is forgotten, and what is kept for good reasons.
//
// Usage: heap_peers MODE
//   error_path   Parser::parse returns early for 1 message in 10 and does not free it: 40 of 400
//   leak early_exit   the same, but good messages are freed by a function of their own cache a
//   cache of 16 blocks: the oldest makes room random       the same, but a random one makes room
//   in_flight    killed with 8 blocks in work, of 400
//   interned     a name is kept when it is new, else its copy is freed: 20 names, 400 copies
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#define FRAME __attribute__((noinline))

namespace {

constexpr int kItems = 400;

struct Message {
    FRAME static char* read(int number) {
        char* const text = static_cast<char*>(std::malloc(64));
        std::snprintf(text, 64, "message %d", number);
        return text;
    }
};

struct Parser {
    FRAME static bool is_valid(const char* text) { return text[std::strlen(text) - 1] != '3'; }
    FRAME static void parse(int number) {
        char* const text = Message::read(number);
        if (!is_valid(text)) return;
        std::free(text);  // what the early return misses
    }
    FRAME static void handle(int number) {
        char* const text = Message::read(number);
        if (!is_valid(text)) return;
        finish(text);
    }
    FRAME static void finish(char* text) {
        std::free(text);  // what handle() does not come to
    }
};

struct Cache {
    std::vector<char*> entries;
    FRAME void insert(int number, bool oldest) {
        entries.push_back(Message::read(number));
        if (entries.size() > 16) evict(oldest ? 0 : static_cast<size_t>(std::rand()) % 16);
    }
    FRAME void evict(size_t at) {
        std::free(entries[at]);
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at));
    }
};

struct Flight {
    char* open[8] = {};
    FRAME void take_off(int number) { open[number % 8] = Message::read(number); }
    FRAME void land(int number) { std::free(std::exchange(open[number % 8], nullptr)); }
};

struct Names {
    std::vector<char*> known;
    FRAME void add(int number) {
        char* const name = Message::read(number % 20);
        for (const char* const one : known) {
            if (std::strcmp(one, name) == 0) return drop(name);
        }
        known.push_back(name);
    }
    FRAME void drop(char* name) { std::free(name); }
};

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc == 2 ? argv[1] : "";
    auto& cache = *new Cache;
    auto& names = *new Names;
    Flight flight;
    cache.entries.reserve(32);
    names.known.reserve(32);
    for (int i = 0; i < kItems; ++i) {
        if (mode == "error_path") Parser::parse(i);
        if (mode == "early_exit") Parser::handle(i);
        if (mode == "cache" || mode == "random") cache.insert(i, mode == "cache");
        if (mode == "interned") names.add(i);
        if (mode == "in_flight") {
            if (i >= 8) flight.land(i);
            flight.take_off(i);
        }
    }
    if (mode == "in_flight") ::kill(::getpid(), SIGKILL);
    std::puts("done");
}
