// Row 15 of doc/lifecycle-bugs.md: pooled buffers that are never put back. The pool's memory is
// static, so malloc is flat.
//
// Truth: 64 slots of type 'PooledBuffer'. Reader::fetch borrows and puts back 200 times;
// Auditor::inspect borrows 30 and puts back 20. 10 are never returned, all borrowed in
// Auditor::inspect. Slots are used again: one address lives many lives.
#include <cstdio>
#include <cstdlib>

#include <lastref/lastref.h>

#define FRAME __attribute__((noinline))

class Pool {
public:
    static constexpr int kSlots = 64;
    static constexpr size_t kSlotSize = 512;

    FRAME void* borrow() {
        for (int slot = 0; slot < kSlots; ++slot) {
            if (taken_[slot]) continue;
            taken_[slot] = true;
            lastref_create(memory_[slot], kSlotSize, "PooledBuffer");
            return memory_[slot];
        }
        std::abort();
    }
    FRAME void put_back(void* buffer) {
        const auto slot = (static_cast<char*>(buffer) - memory_[0]) / kSlotSize;
        lastref_destroy(buffer);
        taken_[slot] = false;
    }
    int idle() const {
        int count = 0;
        for (bool taken : taken_) count += !taken;
        return count;
    }

private:
    bool taken_[kSlots] = {};
    alignas(16) char memory_[kSlots][kSlotSize];
};

static Pool pool;

struct Reader {
    FRAME void fetch() {
        void* buffer = pool.borrow();
        pool.put_back(buffer);
    }
};

struct Auditor {
    FRAME void inspect(bool forget) {
        void* buffer = pool.borrow();
        if (forget) return;
        pool.put_back(buffer);
    }
};

int main() {
    Reader reader;
    Auditor auditor;
    for (int i = 0; i < 200; ++i) reader.fetch();
    for (int i = 0; i < 30; ++i) auditor.inspect(i % 3 == 0);
    std::printf("idle %d of %d\n", pool.idle(), Pool::kSlots);
}
