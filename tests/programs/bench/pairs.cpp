// Random malloc and free, each 16 to 40 frames deep, and how long a pair takes.
//
//     pairs THREADS PAIRS          PAIRS of each thread
//
// Each thread walks over a tree of calls (call_walk.h). Wherever the walk stops one of the thread's
// 512 slots is chosen at random: if it holds a block, that is freed, else it gets one of 16 to 512
// bytes, so that some 256 blocks live. The size depends on the place, as in programs. Before time
// is taken each thread does a tenth as much untimed, so that what tools do once is not in it. The
// seconds are from the first thread's begin to the last one's end. Prints one JSON object: them,
// and of the mallocs the average depth and how many frames were fresh against the thread's malloc
// before.
#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "call_walk.h"
#include "seconds.h"

namespace {

class Work {
public:
    explicit Work(unsigned number) : walk_(16, 40, 0x5eed + number * 7919) {}

    void run(uint64_t pairs, pthread_barrier_t& together) {
        walk_.run(*this, pairs / 5 + 1);
        mallocs = fresh = frames = 0;
        pthread_barrier_wait(&together);
        double processor_begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        begin = seconds_now();
        walk_.run(*this, 2 * pairs);
        end = seconds_now();
        processor = seconds_of(CLOCK_THREAD_CPUTIME_ID) - processor_begin;
        for (void* block : blocks_) free(block);
    }

    [[gnu::always_inline]] void event(unsigned function) {
        void*& block = blocks_[walk_.random() >> 32 & (kSlots - 1)];
        if (block) {
            free(block);
            block = nullptr;
        } else {
            block = malloc(16 + function * 101 % 497);
            if (!block) abort();
            *static_cast<void**>(block) = block;
            ++mallocs;
            fresh += walk_.fresh_frames();
            frames += walk_.frames();
        }
    }

    uint64_t mallocs = 0, fresh = 0, frames = 0;
    double begin = 0, end = 0, processor = 0;

private:
    static constexpr unsigned kSlots = 512;
    bench::CallWalk walk_;
    void* blocks_[kSlots] = {};
};

}  // namespace

int main(int argc, char** argv) {
    unsigned threads = argc == 3 ? atoi(argv[1]) : 0;
    uint64_t pairs = argc == 3 ? strtoull(argv[2], nullptr, 10) : 0;
    if (threads < 1 || threads > 1000 || pairs < 1) {
        fprintf(stderr, "usage: pairs THREADS PAIRS\n");
        return 2;
    }
    std::vector<Work> works;
    for (unsigned i = 0; i < threads; ++i) works.emplace_back(i);
    pthread_barrier_t together;
    pthread_barrier_init(&together, nullptr, threads);
    std::vector<std::thread> others;  // the first one's work is the main thread's
    for (unsigned i = 1; i < threads; ++i)
        others.emplace_back([&, i] { works[i].run(pairs, together); });
    works[0].run(pairs, together);
    for (std::thread& other : others) other.join();

    double begin = works[0].begin, end = works[0].end, processor = 0;
    uint64_t mallocs = 0, fresh = 0, frames = 0;
    for (const Work& work : works) {
        begin = std::min(begin, work.begin);
        end = std::max(end, work.end);
        processor += work.processor;
        mallocs += work.mallocs;
        fresh += work.fresh;
        frames += work.frames;
    }
    printf(
        "{\"seconds\": %.6f, \"processor\": %.6f, \"mallocs\": %llu, \"frames\": %.2f, "
        "\"fresh\": %.2f}\n",
        end - begin, processor, static_cast<unsigned long long>(mallocs),
        static_cast<double>(frames) / mallocs, static_cast<double>(fresh) / mallocs);
}
