#include "analyze/held.h"

#include <random>
#include <vector>

#include "support/catch.h"
#include "support/fake_frames.h"

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

TEST_CASE("an entry that a cache spared for nine times the mean is in it still") {
    CHECK(cause_of(1, 100 - 9 * 8) == Cause::kCache);
}

TEST_CASE("what a thread left behind long ago is in no cache") {
    CHECK(cause_of(1, 3) == Cause::kUnknown);
    CHECK(cause_of(32, 3) == Cause::kUnknown);
}

namespace {

using testing::FakeFrames;
using testing::TraceBuilder;

// Buffers that somebody makes, does something with, and lets go of.
struct Work {
    TraceBuilder builder;
    FakeFrames frames;
    uint32_t made, inserted, let_go, evicted;
    std::mt19937 random{7};
    std::vector<uint64_t> held;

    Work() {
        frames.name(0x1, "Worker::make");
        frames.name(0x2, "Table::insert");
        frames.name(0x3, "Worker::let_go");
        frames.name(0x4, "Table::evict");
        made = builder.stack({0x1, 0x9});
        inserted = builder.stack({0x2, 0x9});
        let_go = builder.stack({0x3, 0x9});
        evicted = builder.stack({0x4, 0x9});
    }
    static uint64_t buffer(uint64_t i) { return 0x10000 + i * 64; }
    void make(uint64_t i) { builder.create(buffer(i), 32, "Entry", made); }
    void insert(uint64_t i) {
        builder.retain(buffer(i), inserted).release(buffer(i), let_go);
        held.push_back(buffer(i));
    }
    void evict(size_t at) {
        builder.release(held[at], evicted);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
    void insert_and_evict(uint64_t i, uint64_t one_in) {
        insert(i);
        if (random() % one_in == 0) evict(random() % held.size());
    }
    Culprit culprit() {
        const Report report = testing::report_of(builder, frames);
        REQUIRE(report.findings.size() == 1);
        REQUIRE(report.findings[0].culprit);
        return *report.findings[0].culprit;
    }
};

constexpr uint64_t kAll = 600;

}  // namespace

TEST_CASE("a growing table that drops entries of any age, which nobody uses, names who inserts") {
    const uint64_t one_in = GENERATE(2, 8, 16);
    Work work;
    SECTION("in one thread") {
        for (uint64_t i = 0; i < kAll; ++i) {
            work.make(i);
            work.insert_and_evict(i, one_in);
        }
    }
    SECTION("behind a queue that was filled before") {
        for (uint64_t i = 0; i < kAll; ++i) work.make(i);
        work.builder.log = 2;
        for (uint64_t i = 0; i < kAll; ++i) work.insert_and_evict(i, one_in);
    }
    SECTION("of which another thread drops them") {
        for (uint64_t i = 0; i < kAll; ++i) {
            work.builder.log = 1;
            work.make(i);
            work.insert(i);
            work.builder.log = 2;
            if (i % one_in == 0) work.evict(work.random() % work.held.size());
        }
    }
    SECTION("two of them, in threads that worked one after the other") {
        for (uint64_t i = 0; i < kAll; ++i) {
            if (i == kAll / 2) {
                work.builder.log = 2;
                work.held.clear();
            }
            work.make(i);
            work.insert_and_evict(i, one_in);
        }
    }
    const Culprit culprit = work.culprit();
    CHECK(culprit.cause == Cause::kGrowth);
    CHECK(culprit.frame.function == "Table::insert");
}

TEST_CASE("a table that dropped few entries is not known to grow, and nobody is named") {
    Work work;
    for (uint64_t i = 0; i < 100; ++i) {
        work.make(i);
        work.insert(i);
        if (i % 20 == 19) work.evict(work.random() % work.held.size());
    }
    const Report report = testing::report_of(work.builder, work.frames);
    REQUIRE(report.findings.size() == 1);
    CHECK_FALSE(report.findings[0].culprit);
    CHECK(report.findings[0].reason.find("few were freed") != std::string::npos);
    REQUIRE_FALSE(report.findings[0].suspects.empty());
}

TEST_CASE("where few ended, but at once or in turn, the others' release is missing") {
    Work work;
    SECTION("at once") {
        for (uint64_t i = 0; i < 100; ++i) {
            work.make(i);
            work.insert(i);
            if (i >= 98) work.evict(work.held.size() - 1);
        }
    }
    SECTION("in turn, after they waited long") {
        for (uint64_t i = 0; i < 100; ++i) work.make(i);
        work.builder.log = 2;
        for (uint64_t i = 0; i < 100; ++i) {
            work.insert(i);
            if (i % 10 == 9) work.evict(work.held.size() - 1);
        }
    }
    const Culprit culprit = work.culprit();
    CHECK(culprit.cause == Cause::kMissingRelease);
    CHECK(culprit.frame.function == "Table::evict");
}

TEST_CASE("work that ends in any order, of what is in hand at once, is no growing table") {
    Work work;
    for (uint64_t i = 0; i < kAll; ++i) {
        work.make(i);
        work.insert(i);
        if (work.random() % 3 == 0) work.held.pop_back();  // and is forgotten
        if (work.held.size() > 16) work.evict(work.random() % work.held.size());
    }
    while (!work.held.empty()) work.evict(0);
    const Culprit culprit = work.culprit();
    CHECK(culprit.cause == Cause::kMissingRelease);
    CHECK(culprit.frame.function == "Table::evict");
}

TEST_CASE("what is freed at the end, newest first, was no growing table's") {
    Work work;
    for (uint64_t i = 0; i < kAll; ++i) {
        work.make(i);
        work.insert(i);
        if (i % 10 == 5) work.held.pop_back();  // and is forgotten
    }
    while (!work.held.empty()) work.evict(work.held.size() - 1);
    const Culprit culprit = work.culprit();
    CHECK(culprit.cause == Cause::kMissingRelease);
    CHECK(culprit.frame.function == "Table::evict");
}

}  // namespace lastref
