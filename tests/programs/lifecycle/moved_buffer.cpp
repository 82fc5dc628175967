// Row 26 of doc/lifecycle-bugs.md, a decoy: buffers that move keep their identity, and addresses
// are used again.
//
// Truth: 60 buffers 'Growing', each moved once, with lastref_move: 20 by realloc, 20 by copying
// into a new block, 20 by mremap. 100 buffers 'Brief' one after the other on one address. Every
// buffer ends, every block is freed, every mapping unmapped: no finding at all.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <lastref/lastref.h>

#define FRAME __attribute__((noinline))

// The large size is above every threshold from which malloc maps a block of its own, so that a
// small one can't grow where it is.
constexpr size_t kSmall = 1000, kLarge = 40 << 20, kPages = 16 * 4096;

FRAME static void grow_by_realloc() {
    // volatile: gcc warns of any use of the old address, though nothing looks behind it.
    void* volatile buffer = std::malloc(kSmall);
    lastref_create(buffer, kSmall, "Growing");
    void* moved = std::realloc(buffer, kLarge);
    if (moved == nullptr || moved == buffer) std::abort();
    lastref_move(buffer, moved);
    lastref_retain(moved);
    lastref_release(moved);
    lastref_release(moved);
    std::free(moved);
}

FRAME static void grow_by_copy() {
    void* buffer = std::malloc(kSmall);
    lastref_create(buffer, kSmall, "Growing");
    std::memset(buffer, 1, kSmall);
    void* moved = std::malloc(kLarge);
    std::memcpy(moved, buffer, kSmall);
    lastref_move(buffer, moved);
    std::free(buffer);
    lastref_release(moved);
    std::free(moved);
}

FRAME static void grow_by_mremap() {
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void* buffer = mmap(nullptr, kPages, protection, flags, -1, 0);
    void* target = mmap(nullptr, 2 * kPages, protection, flags, -1, 0);
    if (buffer == MAP_FAILED || target == MAP_FAILED) std::abort();
    lastref_create(buffer, kPages, "Growing");
    void* moved = mremap(buffer, kPages, 2 * kPages, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    if (moved == MAP_FAILED) std::abort();
    lastref_move(buffer, moved);
    lastref_release(moved);
    munmap(moved, 2 * kPages);
}

FRAME static void live_briefly(void* address) {
    lastref_create(address, kSmall, "Brief");
    lastref_retain(address);
    lastref_release(address);
    lastref_release(address);
}

int main() {
    for (int i = 0; i < 20; ++i) {
        grow_by_realloc();
        grow_by_copy();
        grow_by_mremap();
    }
    static char slot[kSmall];
    for (int i = 0; i < 100; ++i) live_briefly(slot);
    std::puts("60 moved");
}
