// Releases that do not come: rows 4 to 7, 9, 11, 15, 18 and 20 of
// doc/lifecycle-bugs.md.
#include <csetjmp>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "scene.h"

// 4: forgotten on an error path.
struct Parser {
    FRAME static void on_error(Buffer* buffer) { buffer->touch("error"); }
    FRAME static bool header(Item& item) {
        item.buffer->touch("header");
        return !item.fault;
    }
    FRAME static void parse(Item& item) {
        item.buffer->retain();
        if (!header(item)) {
            on_error(item.buffer);
            return;
        }
        item.buffer->touch("body");
        item.buffer->release();  // truth: error_path missing-release Parser::parse
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Request");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        parse(item);
        noise_after(item);
        item.buffer->release();
    }
};

// 5: forgotten at an early return.
struct Validator {
    FRAME static void check(Item& item) {
        if (item.fault) return;
        item.buffer->touch("check");
        item.buffer->release();  // truth: early_return missing-release Validator::check
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Form");  // always: early_return Validator::begin
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        check(item);
    }
};

// 6: skipped by an exception or a longjmp.
struct Transaction {
    static thread_local jmp_buf away;
    FRAME static void apply(Item& item) {
        item.buffer->touch("apply");
        if (item.fault && item.random & 1) throw std::runtime_error("conflict");
        if (item.fault) longjmp(away, 1);
    }
    FRAME static void run(Item& item) {
        item.buffer->retain();
        apply(item);
        item.buffer->release();  // truth: unwound missing-release Transaction::run
    }
    FRAME static void attempt(Item& item) {
        if (setjmp(away) != 0) return;
        try {
            run(item);
        } catch (const std::runtime_error&) {
            item.buffer->touch("rolled back");
        }
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Record");
        noise_before(item);
        attempt(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        item.buffer->release();
    }
};
thread_local jmp_buf Transaction::away;

// 7: the handler that would release is never called.
struct Call {
    FRAME static void start(Buffer* buffer) {
        buffer->retain();  // always: cancelled Call::start
        buffer->touch("sent");
    }
    FRAME static void on_complete(Buffer* buffer) {
        buffer->touch("answer");
        buffer->release();  // truth: cancelled missing-release Call::on_complete
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Query");
        start(item.buffer);
        noise_before(item);
        item.buffer->release();
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        if (!item.fault) on_complete(item.buffer);
    }
};

// 9: what is in the queue when the program stops is dropped.
struct Mailbox {
    static std::vector<Item>& waiting() {
        static thread_local std::vector<Item> all;
        return all;
    }
    FRAME static void push(Item& item) { item.buffer->touch("push"); }
    FRAME static void drain(Item& item) {
        if (item.index + 12 >= variation.items) return;
        item.buffer->touch("drain");
        item.buffer->release();  // truth: dropped_queue missing-release Mailbox::drain
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Mail");  // always: dropped_queue Mailbox::begin
        noise_before(item);
        push(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        drain(item);
    }
};

// 11: sent to another thread, which never receives it.
struct Receiver {
    FRAME static void receive(Buffer* buffer) {
        buffer->touch("receive");
        buffer->release();  // truth: lost_handoff missing-release Receiver::receive
    }
};
struct Sender {
    FRAME static void send(Buffer* buffer) {
        buffer->retain();  // always: lost_handoff Sender::send
        buffer->touch("send");
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Parcel");
        noise_before(item);
        send(item.buffer);
    }
    FRAME static void finish(Item& item) {
        if (!item.fault) Receiver::receive(item.buffer);
        noise_after(item);
        item.buffer->release();
    }
};

// 15: taken from a pool and not put back.
struct Pool {
    FRAME static Buffer* take() {
        static thread_local std::vector<Buffer*> idle;
        Buffer* const buffer = Buffer::create("PooledBuffer");
        return buffer;
    }
    FRAME static void put_back(Buffer* buffer) {
        lastref_destroy(buffer);
        buffer->dispose();
    }
};
struct Printer {
    FRAME static void print() {
        Buffer* const page = Pool::take();
        page->touch("page");
        Pool::put_back(page);
    }
};
struct Scanner {
    FRAME static void scan(Item& item) {
        item.buffer = Pool::take();  // truth: not_returned pool-not-returned Scanner::scan
        item.buffer->touch("scan");
    }
    FRAME static void begin(Item& item) {
        scan(item);
        noise_before(item);
        Printer::print();
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        if (!item.fault) Pool::put_back(item.buffer);
    }
};

// 18: taken over only where the call succeeds.
struct Channel {
    FRAME static bool try_send(Buffer* buffer, bool full) {
        buffer->touch(full ? "full" : "queued");
        return !full;
    }
    FRAME static void deliver(Buffer* buffer) { buffer->release(); }
};
struct Notifier {
    FRAME static void notify(Item& item) {
        const bool full = item.fault || item.random % 4 == 0;
        item.state = Channel::try_send(item.buffer, full);
        if (!item.state && !item.fault) {
            item.buffer->release();  // truth: consumed_on_success missing-release Notifier::notify
        }
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Notice");  // always: consumed_on_success Notifier::begin
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        notify(item);
        if (item.state) Channel::deliver(item.buffer);
    }
};

// 20: a pointer is overwritten without releasing what it pointed to.
struct Slot {
    static Buffer*& current() {
        static thread_local Buffer* pointer = nullptr;
        return pointer;
    }
    FRAME static void assign(Buffer* buffer, bool forgets) {
        if (buffer) buffer->retain();
        if (current() && !forgets) {
            current()->release();  // truth: overwritten missing-release Slot::assign
        }
        current() = buffer;
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Picture");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        assign(item.buffer, item.fault);
        item.buffer->release();
        if (item.index + 2 >= variation.items) assign(nullptr, false);
    }
};

// 5, close to the end: a thread that is still at work when the program ends forgot one, and went on
// to others since, of which it has one in hand.
struct Courier {
    static inline std::binary_semaphore in_the_middle{0}, never{0};

    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Letter");  // always: late_leak Courier::begin
        noise_before(item);
    }
    FRAME static void deliver(Item& item) {
        if (item.fault) return;
        item.buffer->release();  // truth: late_leak missing-release Courier::deliver
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        deliver(item);
    }
    FRAME static void serve() {
        for (uint64_t i = 0; i < 50; ++i) {
            Item item;
            item.random = random_of(variation.seed + i);
            item.fault = i == 45;
            begin(item);
            if (i < 49) finish(item);
        }
        in_the_middle.release();
        never.acquire();
    }
    static void at_end() {
        std::thread(serve).detach();
        in_the_middle.acquire();
    }
};

int main(int argc, char** argv) {
    static constexpr Scenario scenarios[] = {
        {"error_path", Parser::begin, Parser::finish},
        {"early_return", Validator::begin, Validator::finish},
        {"unwound", Transaction::begin, Transaction::finish},
        {"cancelled", Call::begin, Call::finish},
        {"dropped_queue", Mailbox::begin, Mailbox::finish},
        {"lost_handoff", Sender::begin, Sender::finish},
        {"not_returned", Scanner::begin, Scanner::finish},
        {"consumed_on_success", Notifier::begin, Notifier::finish},
        {"overwritten", Slot::begin, Slot::finish},
        {"late_leak", Courier::begin, Courier::finish, Courier::at_end},
    };
    return run_scenarios(scenarios, argc, argv);
}
