// Row 29 of doc/lifecycle-bugs.md, a decoy: entries that a bounded cache holds for ever.
//
// Truth: 2,000 entries 'CacheEntry' of 128 heap bytes pass through a cache of 32. 1,968 are
// evicted, released to zero and freed; the 32 newest are held at the end, at count 1, because the
// cache is never emptied. That is no leak: their number is bounded.
#include <array>
#include <cstdio>
#include <cstdlib>

#include <lastref/lastref.h>

#define FRAME __attribute__((noinline))

constexpr size_t kEntrySize = 128;

class Cache {
public:
    FRAME void put(void* entry) {
        void*& slot = entries_[next_++ % entries_.size()];
        if (slot) evict(slot);
        slot = entry;
    }
    FRAME void evict(void* entry) {
        ++evicted_;
        lastref_release(entry);
        std::free(entry);
    }
    int evicted() const { return evicted_; }

private:
    std::array<void*, 32> entries_{};
    size_t next_ = 0;
    int evicted_ = 0;
};

static Cache cache;

FRAME static void load() {
    void* entry = std::malloc(kEntrySize);
    lastref_create(entry, kEntrySize, "CacheEntry");
    cache.put(entry);
}

int main() {
    for (int i = 0; i < 2000; ++i) load();
    std::printf("%d evicted\n", cache.evicted());
}
