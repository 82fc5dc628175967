#include "analyze/held.h"

#include "support/catch.h"

namespace lastref {
namespace {

// A thread through which 100 buffers came, of which the newest 8 are always live.
ThreadPopulation cache_of_a_thread() {
    ThreadPopulation thread;
    for (int i = 0; i < 100; ++i) {
        thread.count_created();
        if (thread.live > 8) thread.count_ended(10);
    }
    return thread;
}

Cause cause_of(uint32_t threads, uint64_t first_serial) {
    LiveStatistics lives;
    TypeStatistics type;
    lives.count = 8 * threads;
    lives.last_created_at = 1'000'000;  // nothing that was made at the start
    for (uint32_t thread = 0; thread < threads; ++thread) {
        type.threads[thread] = cache_of_a_thread();
        lives.first_of_threads[thread] = first_serial;
    }
    return why_held(lives, {}, nullptr, type, 1'000'000, {}).cause;
}

}  // namespace

TEST_CASE("each thread may have a cache of its own") {
    CHECK(cause_of(1, 92) == Cause::kCache);
    CHECK(cause_of(32, 92) == Cause::kCache);
}

TEST_CASE("more threads than that which each leave something behind are no caches") {
    CHECK(cause_of(33, 92) == Cause::kUnknown);
}

TEST_CASE("what a thread left behind long ago is in no cache") {
    CHECK(cause_of(1, 3) == Cause::kUnknown);
    CHECK(cause_of(32, 3) == Cause::kUnknown);
}

}  // namespace lastref
