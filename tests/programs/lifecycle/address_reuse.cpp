// Eight threads that exchange blocks, so that addresses are used again across threads.
//
//   address_reuse REUSES
//
// The threads stand in a ring. Each takes a block that its neighbour made, frees it, makes a new
// one of the same size and hands that on, until REUSES addresses in all went to a thread other than
// the one that had them before. Small blocks come from malloc's cache of the thread that freed
// them, large ones from the one arena that all share. At the end every block is freed.
//
// Prints 'allocations N, reused R': the mallocs of this exchange (as many frees), and how many of
// them returned an address whose last block another thread had made.
//
// Truth: allocations and frees balance exactly, nothing leaks, nothing is freed twice. An event in
// the wrong order would show as a double free or as a block that lives.
#include <malloc.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr unsigned kThreads = 8;
constexpr unsigned kBlocksPerThread = 64;
constexpr size_t kSizes[] = {24, 40, 72, 136, 1100, 1500, 2300, 4000};

// Blocks that one thread hands to the next. Holds all blocks there are, so it is never full.
class HandOver {
public:
    void push(void* block) {
        const uint64_t end = end_.load(std::memory_order_relaxed);
        blocks_[end % kCapacity] = block;
        end_.store(end + 1, std::memory_order_release);
    }
    void* pop() {
        const uint64_t begin = begin_.load(std::memory_order_relaxed);
        if (begin == end_.load(std::memory_order_acquire)) return nullptr;
        void* block = blocks_[begin % kCapacity];
        begin_.store(begin + 1, std::memory_order_release);
        return block;
    }

private:
    static constexpr unsigned kCapacity = 2 * kThreads * kBlocksPerThread;
    void* blocks_[kCapacity];
    alignas(64) std::atomic<uint64_t> begin_{0};
    alignas(64) std::atomic<uint64_t> end_{0};
};

HandOver inboxes[kThreads];
std::atomic<uint64_t> all_reused;

// Who last made a block at an address: the address with the thread's number in the low bits, which
// malloc's alignment leaves free. Another address of the same hash hides it, which only makes the
// count of reuses smaller than the truth.
std::atomic<uintptr_t> makers[1 << 16];

// True if the block's address was another thread's before. Notes the new maker.
bool note_maker(void* block, unsigned thread) {
    const auto address = reinterpret_cast<uintptr_t>(block);
    const uintptr_t before =
        makers[(address >> 4) % (1 << 16)].exchange(address | thread, std::memory_order_relaxed);
    return (before & ~uintptr_t{15}) == address && (before & 15) != thread;
}

struct Counts {
    uint64_t allocations = 0, reused = 0;
};

// Blocks carry their size in their first word.
void make_block(size_t size, unsigned thread, Counts& counts) {
    auto* block = static_cast<size_t*>(std::malloc(size));
    if (!block) std::abort();
    *block = size;
    ++counts.allocations;
    if (note_maker(block, thread)) {
        ++counts.reused;
        all_reused.fetch_add(1, std::memory_order_relaxed);
    }
    inboxes[(thread + 1) % kThreads].push(block);
}

Counts exchange_blocks(unsigned thread, uint64_t wanted) {
    Counts counts;
    for (unsigned i = 0; i < kBlocksPerThread; ++i) make_block(kSizes[i % 8], thread, counts);
    while (all_reused.load(std::memory_order_relaxed) < wanted) {
        auto* block = static_cast<size_t*>(inboxes[thread].pop());
        if (!block) {
            sched_yield();
            continue;
        }
        const size_t size = *block;
        std::free(block);
        make_block(size, thread, counts);
    }
    return counts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    mallopt(M_ARENA_MAX, 1);
    const uint64_t wanted = std::strtoull(argv[1], nullptr, 10);
    Counts counts[kThreads];
    {
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kThreads; ++t)
            threads.emplace_back([&counts, t, wanted] { counts[t] = exchange_blocks(t, wanted); });
        for (std::thread& thread : threads) thread.join();
    }
    for (HandOver& inbox : inboxes)
        while (void* block = inbox.pop()) std::free(block);
    uint64_t allocations = 0, reused = 0;
    for (const Counts& c : counts) {
        allocations += c.allocations;
        reused += c.reused;
    }
    std::printf("allocations %lu, reused %lu\n", allocations, reused);
}
