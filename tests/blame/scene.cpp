#include "scene.h"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <thread>

Variation variation;

namespace {
std::atomic<uint64_t> next_identity{1};
}

Buffer* Buffer::create(const char* type, size_t size) {
    auto* buffer = new (std::malloc(sizeof(Buffer) + size)) Buffer;
    buffer->identity_ = next_identity.fetch_add(1);
    lastref_create(buffer, sizeof(Buffer) + size, type);
    return buffer;
}

void Buffer::dispose() {
    std::free(static_cast<void*>(this));
}

bool Buffer::hides() {
    if (variation.hidden == 0) return false;
    return random_of(identity_ * 977 + ++operations_ * 31 + variation.seed) % 100 <
           variation.hidden;
}

// Noise: classes whose methods hold the buffer for a while and let go of it.
namespace noise {

struct Compressor {
    FRAME void apply(Buffer* buffer) {
        buffer->retain();
        buffer->touch("compress");
        buffer->release();
    }
};
struct Cipher {
    FRAME void begin(Buffer* buffer) { buffer->retain(); }
    FRAME void end(Buffer* buffer) { buffer->release(); }
};
struct Logger {
    FRAME void note(Buffer* buffer) {
        Ref held(buffer);
        held.get()->touch("log");
    }
};
struct Fan {
    FRAME void out(Buffer* buffer, unsigned n) {
        for (unsigned i = 0; i < n; ++i) buffer->retain();
        for (unsigned i = 0; i < n; ++i) consume(buffer);
    }
    FRAME void consume(Buffer* buffer) { buffer->release(); }
};
struct Inspector {
    FRAME void look(Buffer* buffer, unsigned depth) {
        if (depth > 0) return look(buffer, depth - 1);
        buffer->retain();
        judge(buffer);
    }
    FRAME void judge(Buffer* buffer) {
        buffer->touch("judge");
        buffer->release();
    }
};
struct Archive {
    FRAME void take(Buffer* buffer) { buffer->retain(); }
    FRAME void give_back(Buffer* buffer) { drop(buffer); }
    FRAME void drop(Buffer* buffer) { buffer->release(); }
};

FRAME void stage(Item& item, uint64_t bits) {
    Buffer* const buffer = item.buffer;
    switch (bits % 6) {
        case 0:
            Compressor().apply(buffer);
            break;
        case 1:
            Logger().note(buffer);
            break;
        case 2:
            Fan().out(buffer, 1 + bits / 8 % 3);
            break;
        case 3:
            Inspector().look(buffer, bits / 8 % 3);
            break;
        case 4:
            Cipher().begin(buffer);
            Cipher().end(buffer);
            break;
        default:
            buffer->touch("skip");
            break;
    }
}

}  // namespace noise

namespace {

// Shapes 0 to 2 are for development, 3 to 5 are held out.
void noise_round(Item& item, uint64_t bits) {
    switch (variation.shape) {
        case 0:
            noise::stage(item, bits % 3);
            break;
        case 1:
            if (bits % 2) {
                noise::Cipher().begin(item.buffer);
                item.deferred.push_back(item.buffer);
            }
            noise::stage(item, bits >> 4);
            break;
        case 2:
            for (uint64_t i = 0; i < bits % 4; ++i) noise::stage(item, bits >> (4 + 3 * i));
            break;
        case 3:
            if (bits % 3) {
                noise::Archive().take(item.buffer);
                item.deferred.push_back(item.buffer);
            }
            break;
        case 4:
            noise::Inspector().look(item.buffer, bits % 7);
            noise::stage(item, bits >> 8);
            break;
        default:
            for (uint64_t i = 0; i < 3; ++i) noise::stage(item, random_of(bits + i) % 6);
            break;
    }
}

}  // namespace

void noise_before(Item& item) {
    noise_round(item, item.random >> 8);
    for (unsigned i = 1; i < variation.rounds; ++i) noise_round(item, random_of(item.random + i));
}

void noise_after(Item& item) {
    const uint64_t bits = item.random >> 24;
    if (variation.shape == 2 && bits % 2) noise::stage(item, bits >> 2);
    if (variation.shape == 5) noise::stage(item, bits % 2 ? 1 : 3);
    for (Buffer* const buffer : item.deferred) {
        if (variation.shape == 1) {
            noise::Cipher().end(buffer);
        } else {
            noise::Archive().give_back(buffer);
        }
    }
    item.deferred.clear();
}

namespace {

// A fault of its own, in a type of its own.
struct Ticket {
    FRAME static void issue(uint64_t index) {
        Buffer* const ticket = Buffer::create("Ticket");
        ticket->retain();
        print(ticket);
        if (index % 17 != 3) ticket->release();  // truth: second missing-release Ticket::issue
    }
    FRAME static void print(Buffer* ticket) {
        ticket->touch("print");
        ticket->release();
    }
};

using Half = void (*)(Item&);

// Two functions that call each other in an order that the item's route gives: stacks of a given
// depth that are not all the same.
FRAME void west(Half half, Item& item, unsigned depth, uint64_t route);
FRAME void east(Half half, Item& item, unsigned depth, uint64_t route) {
    if (depth == 0) {
        half(item);
    } else if (route & 1) {
        west(half, item, depth - 1, route >> 1);
    } else {
        east(half, item, depth - 1, route >> 1);
    }
    asm volatile("");  // no tail call
}
FRAME void west(Half half, Item& item, unsigned depth, uint64_t route) {
    if (depth == 0) {
        half(item);
    } else if (route & 1) {
        east(half, item, depth - 1, route >> 1);
    } else {
        west(half, item, depth - 1, route >> 1);
    }
    asm volatile("");
}

void descend(Half half, Item& item) {
    east(half, item, variation.depth, item.random >> 40 & 3);
}

Item make_item(uint64_t index) {
    Item item;
    item.index = index;
    item.random = random_of(variation.seed * 1'000'003 + index);
    if (variation.once) {
        item.fault = index == variation.items / 3;
    } else if (variation.rate != 0) {
        item.fault = random_of(item.random) % variation.rate == 0;
    }
    return item;
}

class Queue {
public:
    void push(Item&& item) {
        const std::lock_guard lock(mutex_);
        items_.push_back(std::move(item));
        filled_.notify_one();
    }
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        filled_.notify_one();
    }
    bool pop(Item& item) {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !items_.empty() || closed_; });
        if (items_.empty()) return false;
        item = std::move(items_.front());
        items_.pop_front();
        return true;
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<Item> items_;
    bool closed_ = false;
};

void work(const Scenario& scenario, uint64_t first, uint64_t step) {
    for (uint64_t i = first; i < variation.items; i += step) {
        Item item = make_item(i);
        descend(scenario.begin, item);
        descend(scenario.finish, item);
        if (variation.second) Ticket::issue(i);
    }
}

void run(const Scenario& scenario) {
    if (variation.threads == "one") {
        work(scenario, 0, 1);
    } else if (variation.threads == "two") {
        std::thread other(work, std::cref(scenario), 1, 2);
        work(scenario, 0, 2);
        other.join();
    } else {
        Queue queue;
        std::thread consumer([&] {
            for (Item item; queue.pop(item);) descend(scenario.finish, item);
        });
        for (uint64_t i = 0; i < variation.items; ++i) {
            Item item = make_item(i);
            descend(scenario.begin, item);
            queue.push(std::move(item));
            if (variation.second) Ticket::issue(i);
        }
        queue.close();
        consumer.join();
    }
    if (scenario.at_end) scenario.at_end();
}

}  // namespace

int run_scenarios(std::span<const Scenario> scenarios, int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i], value = argv[i + 1];
        const uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
        if (name == "--scenario")
            variation.scenario = value;
        else if (name == "--items")
            variation.items = number;
        else if (name == "--rate")
            variation.once = value == "once", variation.rate = number;
        else if (name == "--threads")
            variation.threads = value;
        else if (name == "--depth")
            variation.depth = static_cast<unsigned>(number);
        else if (name == "--second")
            variation.second = number != 0;
        else if (name == "--hidden")
            variation.hidden = static_cast<unsigned>(number);
        else if (name == "--counted")
            variation.counted = number != 0;
        else if (name == "--shape")
            variation.shape = static_cast<unsigned>(number);
        else if (name == "--rounds")
            variation.rounds = static_cast<unsigned>(number);
        else if (name == "--seed")
            variation.seed = number;
        else
            return std::fprintf(stderr, "unknown option %s\n", name.c_str()), 2;
    }
    for (const Scenario& scenario : scenarios) {
        if (variation.scenario != scenario.name) continue;
        run(scenario);
        return 0;
    }
    std::fprintf(stderr, "no scenario %s\n", variation.scenario.c_str());
    return 2;
}
