// References too many: rows 1 to 3, 8, 10, 17, 21, 22 and 36 of doc/lifecycle-bugs.md.
#include "scene.h"

// 1: a retain that other items do not have.
struct Encoder {
    FRAME static void encode(Item& item) {
        item.buffer->touch("header");
        if (item.fault) item.buffer->retain();  // truth: extra_retain extra-retain Encoder::encode
        item.buffer->touch("body");
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Message");
        noise_before(item);
        encode(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 2: a wrapper that retains once more than it should.
struct Keeper {
    FRAME static void keep(Buffer* buffer, int times) {
        for (int i = 0; i < times; ++i) {
            buffer->retain();  // truth: double_retain extra-retain Keeper::keep
        }
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Document");
        noise_before(item);
        keep(item.buffer, item.fault ? 2 : 1);
        item.buffer->release();
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        let_go(item.buffer);
    }
    FRAME static void let_go(Buffer* buffer) { buffer->release(); }
};

// 3: retained for each of n receivers, released once.
struct Batch {
    FRAME static void fan_out(Item& item) {
        const uint64_t receivers = item.fault ? 2 + item.random % 5 : 1;
        for (uint64_t i = 0; i < receivers; ++i) {
            item.buffer->retain();  // truth: retain_loop extra-retain Batch::fan_out
        }
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Chunk");
        fan_out(item);
        noise_before(item);
        item.buffer->release();
    }
    FRAME static void receive(Buffer* buffer) { buffer->release(); }
    FRAME static void finish(Item& item) {
        noise_after(item);
        receive(item.buffer);
    }
};

// 8: the ledger never lets go of what it was given, by design of nobody.
struct Ledger {
    FRAME static void record(Buffer* buffer) {
        buffer->retain();  // truth: never_released never-released Ledger::record
        buffer->touch("record");
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Order");
        noise_before(item);
        if (item.fault) record(item.buffer);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 10: a container that nobody drains.
struct History {
    static std::vector<Buffer*>& entries() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void append(Buffer* buffer) {
        buffer->retain();  // truth: undrained never-released History::append
        entries().push_back(buffer);
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Entry");
        noise_before(item);
        if (item.fault) append(item.buffer);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 17: a retain before a call that takes the reference over.
struct Sink {
    FRAME static void submit(Buffer* stolen) { stolen->touch("submit"); }
    FRAME static void done(Buffer* stolen) { stolen->release(); }
};
struct Producer {
    FRAME static void publish(Item& item) {
        if (item.fault) item.buffer->retain();  // truth: steal extra-retain Producer::publish
        Sink::submit(item.buffer);
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Frame");
        noise_before(item);
        publish(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        Sink::done(item.buffer);
    }
};

// 21: a look-up that returns a reference of the caller's own.
struct Registry {
    FRAME static Buffer* find(Buffer* buffer) {
        buffer->retain();
        return buffer;
    }
};
struct Router {
    FRAME static void route(Item& item) {
        Buffer* const found = Registry::find(item.buffer);
        found->touch("route");
        found->release();
    }
};
struct Audit {
    FRAME static void inspect(Item& item) {
        Registry::find(item.buffer)  // truth: lookup extra-retain Audit::inspect
            ->touch("audit");
        asm volatile("");
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Route");
        Router::route(item);
        noise_before(item);
        if (item.fault) inspect(item);
    }
    FRAME static void finish(Item& item) {
        if (item.random & 1) Router::route(item);
        noise_after(item);
        item.buffer->release();
    }
};

// 22: a reference that was floating is sunk, one that was not is counted once more.
struct Widget {
    FRAME static void sink(Buffer* buffer, bool floating) {
        if (!floating) buffer->retain();
        buffer->touch("sink");
    }
};
struct Panel {
    FRAME static void show(Item& item) {
        Widget::sink(item.buffer, false);
        item.buffer->touch("show");
        item.buffer->release();
    }
};
struct Window {
    FRAME static void add(Item& item) {
        Widget::sink(item.buffer, !item.fault);  // truth: floating extra-retain Window::add
        item.buffer->touch("add");
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Widget");
        Panel::show(item);
        noise_before(item);
        add(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

// 36: two faults of one buffer, sometimes both at once.
struct Relay {
    FRAME static void accept(Item& item) {
        if (item.fault) item.buffer->retain();  // truth: two_faults extra-retain Relay::accept
    }
    FRAME static void forward(Item& item) {
        item.buffer->retain();
        item.buffer->touch("forward");
        const bool forgets =
            variation.rate != 0 && random_of(item.random + 7) % (variation.rate * 2) == 0;
        if (!forgets) item.buffer->release();  // truth: two_faults missing-release Relay::forward
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Packet");
        accept(item);
        noise_before(item);
        forward(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};

int main(int argc, char** argv) {
    static constexpr Scenario scenarios[] = {
        {"extra_retain", Encoder::begin, Encoder::finish},
        {"double_retain", Keeper::begin, Keeper::finish},
        {"retain_loop", Batch::begin, Batch::finish},
        {"never_released", Ledger::begin, Ledger::finish},
        {"undrained", History::begin, History::finish},
        {"steal", Producer::begin, Producer::finish},
        {"lookup", Audit::begin, Audit::finish},
        {"floating", Window::begin, Window::finish},
        {"two_faults", Relay::begin, Relay::finish},
    };
    return run_scenarios(scenarios, argc, argv);
}
