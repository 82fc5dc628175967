// Buffers that hold each other, and misuse: rows 12 to 14, 16, 19, 23 to 25 and 30 of
// doc/lifecycle-bugs.md.
#include "scene.h"

// 12: two buffers that hold each other.
struct Child {
    FRAME static void set_parent(Buffer* parent) {
        parent->retain();  // truth: cycle cycle Child::set_parent
    }
    FRAME static void clear_parent(Buffer* parent) { parent->release(); }
};
struct Parent {
    FRAME static void set_child(Buffer* child) {
        child->retain();  // truth: cycle cycle Parent::set_child
    }
    FRAME static void clear_child(Buffer* child) { child->release(); }
    FRAME static void link(Item& item) {
        set_child(item.other);
        Child::set_parent(item.buffer);
    }
    FRAME static void unlink(Item& item) {
        clear_child(item.other);
        Child::clear_parent(item.buffer);
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Parent");
        item.other = Buffer::create("Child");
        link(item);
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        if (!item.fault) unlink(item);
        item.other->release();
        item.buffer->release();
    }
};

// 13: a leaked owner keeps what it owns. The owner's last release lets go of its parts.
struct Tree {
    FRAME static void release(Item& item) {
        const bool last = item.buffer->count() == 1;
        item.buffer->release();
        if (last) destroy(item);
    }
    FRAME static void destroy(Item& item) {
        for (Buffer* const leaf : item.deferred) leaf->release();
        item.deferred.clear();
    }
    FRAME static void build(Item& item) {
        item.buffer = Buffer::create("Tree");
        for (int i = 0; i < 3; ++i) item.deferred.push_back(Buffer::create("Leaf"));
    }
    FRAME static void view(Item& item) {
        item.buffer->retain();
        item.buffer->touch("view");
        if (item.fault) return;
        release(item);  // truth: owned missing-release Tree::view
    }
    FRAME static void begin(Item& item) { build(item); }
    FRAME static void finish(Item& item) {
        view(item);
        release(item);
    }
};

// 14: a slice of a buffer is leaked, and keeps the buffer.
struct Slicer {
    FRAME static void slice(Item& item) {
        item.buffer->retain();
        item.other = Buffer::create("Slice");  // always: slice Slicer::slice
        item.other->touch("slice");
    }
    FRAME static void drop(Item& item) {
        item.other->release();
        forget(item);
    }
    FRAME static void forget(Item& item) { item.buffer->release(); }
    FRAME static void use(Item& item) {
        slice(item);
        item.other->touch("use");
        if (item.fault) return;
        drop(item);  // truth: slice missing-release Slicer::use
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Sheet");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        use(item);
        noise_after(item);
        item.buffer->release();
    }
};

// 16: the pool itself is leaked.
struct Service {
    FRAME static void open(Item& item) {
        item.buffer = Buffer::create("Pool", 4096);  // always: leaked_pool Service::open
    }
    FRAME static void serve(Item& item) {
        for (int i = 0; i < 2; ++i) {
            lastref_create(static_cast<char*>(item.buffer->payload()) + 64 * i, 48, "Slab");
            lastref_destroy(static_cast<char*>(item.buffer->payload()) + 64 * i);
        }
    }
    FRAME static void close(Item& item) {
        if (item.fault) return;
        item.buffer->release();  // truth: leaked_pool missing-release Service::close
    }
    FRAME static void begin(Item& item) {
        open(item);
        serve(item);
    }
    FRAME static void finish(Item& item) { close(item); }
};

// Over-released buffers stay in memory: the report shows the fault, not what malloc makes
// of it.
struct Static {
    static void* memory() {
        static std::atomic<size_t> next{0};
        static char all[8192][64];
        return all[next.fetch_add(1) % 8192];
    }
    FRAME static void make(Item& item, const char* type) {
        item.buffer = static_cast<Buffer*>(memory());
        lastref_create(item.buffer, 64, type);
    }
    FRAME static void ref(Item& item) { lastref_retain(item.buffer); }
    FRAME static void unref(Item& item) { lastref_release(item.buffer); }
};

// 19: released after a call that always takes the reference over.
struct Uploader {
    FRAME static void consume(Item& item) { Static::unref(item); }
    FRAME static void upload(Item& item) {
        consume(item);
        if (item.fault) Static::unref(item);  // truth: consumed over-release Uploader::upload
    }
    FRAME static void begin(Item& item) {
        Static::make(item, "Upload");
        Static::ref(item);
    }
    FRAME static void finish(Item& item) {
        upload(item);
        Static::unref(item);
    }
};

// 23: one release too many, the count reaches zero early.
struct Session {
    FRAME static void abort(Item& item) {
        Static::unref(item);  // truth: over_release over-release Session::abort
    }
    FRAME static void work(Item& item) {
        Static::ref(item);
        lastref_touch(item.buffer, "work");
        Static::unref(item);
    }
    FRAME static void begin(Item& item) {
        Static::make(item, "Session");
        Static::ref(item);
        if (item.random & 1) work(item);
        if (item.fault) abort(item);
    }
    FRAME static void finish(Item& item) {
        Static::unref(item);
        close(item);
    }
    FRAME static void close(Item& item) { Static::unref(item); }
};

// 24: used after the last release.
struct Reader {
    FRAME static void late(Item& item) {
        lastref_touch(item.buffer, "late");  // truth: use_after use-after-release Reader::late
    }
    FRAME static void begin(Item& item) {
        Static::make(item, "Text");
        lastref_touch(item.buffer, "read");
    }
    FRAME static void finish(Item& item) {
        Static::unref(item);
        if (item.fault) late(item);
    }
};

// 25: freed while it is referenced.
struct Cleaner {
    FRAME static void clean(Item& item) {
        item.buffer->dispose();  // truth: freed_early freed-while-referenced Cleaner::clean
        item.buffer = nullptr;
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Scratch");
        item.buffer->retain();
        noise_before(item);
        noise_after(item);
        if (item.fault) clean(item);
    }
    FRAME static void finish(Item& item) {
        if (!item.buffer) return;
        item.buffer->release();
        item.buffer->release();
    }
};

// 30: a cache without a limit, whose entries are in use.
struct Growing {
    static std::vector<Buffer*>& entries() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void insert(Buffer* buffer) {
        buffer->retain();  // truth: growing growth Growing::insert
        entries().push_back(buffer);
    }
    FRAME static void look_up(uint64_t random) {
        if (entries().empty()) return;
        Buffer* const entry = entries()[random % entries().size()];
        entry->retain();
        entry->touch("hit");
        entry->release();
    }
    FRAME static void evict(uint64_t random) {
        const size_t at = random % entries().size();
        entries()[at]->release();
        entries().erase(entries().begin() + static_cast<std::ptrdiff_t>(at));
    }
    FRAME static void begin(Item& item) { item.buffer = Buffer::create("Page"); }
    FRAME static void finish(Item& item) {
        insert(item.buffer);
        item.buffer->release();
        for (uint64_t i = 0; i < 20; ++i) look_up(random_of(item.random + i));
        if (item.index % 8 == 7) evict(item.random);
    }
};

// 30, too: nobody uses what is held, and what has to go is drawn, of whatever age.
struct Hoard {
    static std::vector<Buffer*>& entries() {
        static thread_local std::vector<Buffer*> all;
        return all;
    }
    FRAME static void insert(Buffer* buffer) {
        buffer->retain();  // truth: growing_unused growth Hoard::insert
        entries().push_back(buffer);
    }
    FRAME static void evict(uint64_t random) {
        const size_t at = random % entries().size();
        entries()[at]->release();
        entries().erase(entries().begin() + static_cast<std::ptrdiff_t>(at));
    }
    FRAME static void begin(Item& item) {
        item.buffer = Buffer::create("Record");
        noise_before(item);
    }
    FRAME static void finish(Item& item) {
        noise_after(item);
        insert(item.buffer);
        item.buffer->release();
        const uint64_t evicted = 2u << variation.seed % 4;  // one in so many
        if ((item.random >> 32) % evicted == 0) evict(item.random);
    }
};

int main(int argc, char** argv) {
    static constexpr Scenario scenarios[] = {
        {"cycle", Parent::begin, Parent::finish},
        {"owned", Tree::begin, Tree::finish},
        {"slice", Slicer::begin, Slicer::finish},
        {"leaked_pool", Service::begin, Service::finish},
        {"consumed", Uploader::begin, Uploader::finish},
        {"over_release", Session::begin, Session::finish},
        {"use_after", Reader::begin, Reader::finish},
        {"freed_early", Cleaner::begin, Cleaner::finish},
        {"growing", Growing::begin, Growing::finish},
        {"growing_unused", Hoard::begin, Hoard::finish},
    };
    return run_scenarios(scenarios, argc, argv);
}
