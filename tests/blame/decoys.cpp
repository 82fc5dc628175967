// Decoys, which look like a fault and are none: rows 26 to 29 and 31 to 34 of
// doc/lifecycle-bugs.md. No accusation may be made.
#include <unistd.h>

#include <csignal>
#include <semaphore>
#include <thread>

#include "scene.h"

// Nothing goes wrong at all.
struct Clean {
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Clean");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 26: the buffer moves.
struct Mover {
    FRAME static void grow(Item& item) {
        Buffer* const to = static_cast<Buffer*>(Buffer::create("Growing"));
        lastref_destroy(to);
        lastref_move(item.buffer, to);
        item.buffer->dispose();
        item.buffer = to;
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Growing");
        if (item.fault) grow(item);
    }
    FRAME static void finish(Item& item) { item.buffer->release(); }
};

// Rows 27 and 28: the counter itself is damaged, as a race or a saturated counter would.
struct Torn {
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Torn");
        item.buffer->retain();
        if (item.fault) item.buffer->set_count(item.buffer->count() + 1);
        lastref_count(item.buffer, item.buffer->count());
    }
    FRAME static void finish(Item& item) {
        item.buffer->release();
        lastref_count(item.buffer, item.buffer->count());
        item.buffer->release();
    }
};

// 29: a cache of bounded size: the oldest or a random one makes room.
struct Cache {
    static std::vector<Buffer*>& entries() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void evict(size_t at) {
        entries()[at]->release();
        entries().erase(entries().begin() + static_cast<std::ptrdiff_t>(at));
    }
    FRAME static void insert(Buffer* buffer) {
        buffer->retain();
        entries().push_back(buffer);
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Cached");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        insert(item.buffer);
        item.buffer->release();
        const bool oldest = variation.seed % 2 == 0;
        if (entries().size() > 16) evict(oldest ? 0 : item.random % 16);
    }
};

// 31: what the program makes at its start it keeps to its end.
struct Startup {
    FRAME static bool prepare() {
        for (int i = 0; i < 6; ++i) Buffer::create("Table")->retain();
        return true;
    }
    FRAME static void begin(Item& item) {
        static const bool ready = prepare();
        item.state = ready;
        item.buffer = Buffer::create("Row");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 32: the program is killed in the middle of its work.
struct Flight {
    static std::vector<Buffer*>& open() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void land(Buffer* buffer) { buffer->release(); }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Flight");
        item.buffer->touch("start");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        open().push_back(item.buffer);
        if (open().size() > 8) {
            land(open().front());
            open().erase(open().begin());
        }
        if (item.index + 5 >= variation.items) ::kill(::getpid(), SIGKILL);
    }
};

// 32, too: the program ends by itself, and another thread has buffers in hand. It has seen others
// through before.
struct Interrupted {
    static inline std::binary_semaphore in_the_middle{0}, never{0};

    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Job");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
    FRAME static void serve() {
        Item jobs[50];
        const uint64_t in_hand = 1 + variation.seed % 3;
        for (uint64_t i = 0; i < 50; ++i) {
            jobs[i].random = random_of(variation.seed + i);
            begin(jobs[i]);
            if (i + in_hand < 50) finish(jobs[i]);
        }
        in_the_middle.release();
        never.acquire();
    }
    static void at_end() {
        std::thread(serve).detach();
        in_the_middle.acquire();
    }
};

// 33: a retain that the framework's release answers.
struct Framework {
    FRAME static void after_encode(Buffer* buffer) { buffer->release(); }
};
struct Codec {
    FRAME static void encode(Buffer* buffer) { buffer->retain(); }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Encoded");
        encode(item.buffer);
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        Framework::after_encode(item.buffer);
        noise_after(item);
        item.buffer->release();
    }
};

// 34: a holder whose operations no hook sees.
struct Foreign {
    static std::vector<Buffer*>& kept() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Foreign");
        noise_before(item);
        if (item.fault) {
            item.buffer->retain_unseen();
            kept().push_back(item.buffer);
        }
        lastref_count(item.buffer, item.buffer->count());
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

int main(int argc, char** argv) {
    static constexpr Scenario scenarios[] = {
        {"clean", Clean::begin, Clean::finish},
        {"mover", Mover::begin, Mover::finish},
        {"torn", Torn::begin, Torn::finish},
        {"cache", Cache::begin, Cache::finish},
        {"startup", Startup::begin, Startup::finish},
        {"in_flight", Flight::begin, Flight::finish},
        {"interrupted", Interrupted::begin, Interrupted::finish, Interrupted::at_end},
        {"framework", Codec::begin, Codec::finish},
        {"foreign", Foreign::begin, Foreign::finish},
    };
    return run_scenarios(scenarios, argc, argv);
}
