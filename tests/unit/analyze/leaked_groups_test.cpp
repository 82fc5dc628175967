#include "analyze/leaked_groups.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

TEST_CASE("lives that differ in order, count or touches only are one group") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), a = builder.stack({0xa}), b = builder.stack({0xb});
    builder.create(0x1000, 1, "B", made).retain(0x1000, a).retain(0x1000, b);
    builder.create(0x2000, 1, "B", made).retain(0x2000, b).retain(0x2000, a).retain(0x2000, a);
    builder.create(0x3000, 1, "B", made).retain(0x3000, a).touch(0x3000, "x").retain(0x3000, b);
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].count == 3);
    CHECK(leaks[0].final_count_min == 3);
    CHECK(leaks[0].final_count_max == 4);
    CHECK(leaks[0].example.buffer == 0x1000);
}

TEST_CASE("types and places of creation make groups of their own") {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0xa}), b = builder.stack({0xb});
    builder.create(0x1000, 1, "A", a).create(0x2000, 1, "B", a).create(0x3000, 1, "A", b);
    builder.create(0x4000, 1, "A", a).retain(0x4000, b);  // as the first, and held
    CHECK(findings_of(report_of(builder), Kind::kRefcountLeak).size() == 3);
}

TEST_CASE("a cache that pushes the oldest out is held, not blamed") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1});
    std::deque<uint64_t> cache;
    for (uint64_t i = 0; i < 400; ++i) {
        const uint64_t buffer = 0x10000 + i * 64;
        builder.create(buffer, 32, "Entry", made).retain(buffer).release(buffer);
        cache.push_back(buffer);
        if (cache.size() > 16) {
            builder.release(cache.front());
            cache.pop_front();
        }
    }
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kHeld);
    CHECK(report.findings[0].reason.starts_with("cache"));
    CHECK(report.findings[0].count == 16);
    CHECK_FALSE(report.findings[0].culprit);
}

TEST_CASE("a cache that keeps the first ones and uses them is held") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1});
    for (uint64_t i = 0; i < 200; ++i) {
        const uint64_t buffer = 0x10000 + i * 64;
        builder.create(buffer, 32, "Entry", made);
        if (i >= 8) builder.release(buffer);
        for (uint64_t hit = 0; hit < 8 && hit <= i; ++hit) {
            if (i < 8 || hit < 8) builder.touch(0x10000 + hit * 64, "hit");
        }
    }
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].reason.starts_with("cache"));
}

namespace {

// A thread's cache of so many entries, `inserts` times filled and emptied at the other end.
void fill_cache(TraceBuilder& builder, uint32_t thread, uint64_t base, uint64_t inserts,
                uint64_t entries) {
    builder.log = thread;
    const uint32_t made = builder.stack({0x1}), evicted = builder.stack({0x2});
    for (uint64_t i = 0; i < inserts; ++i) {
        builder.create(base + i * 64, 32, "Entry", made);
        if (i >= entries) builder.release(base + (i - entries) * 64, evicted);
    }
}

}  // namespace

TEST_CASE("caches of threads that worked one after the other are held") {
    TraceBuilder builder;
    fill_cache(builder, 1, 0x100000, 300, 16);
    fill_cache(builder, 2, 0x200000, 300, 16);
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].reason.starts_with("cache"));
    CHECK(report.findings[0].count == 32);
}

TEST_CASE("what every one of many threads leaves behind is a leak") {
    TraceBuilder builder;
    for (uint32_t thread = 1; thread <= 40; ++thread) {
        fill_cache(builder, thread, 0x100000 * thread, 100, 4);
    }
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kRefcountLeak);
    CHECK(report.findings[0].count == 160);
}

TEST_CASE("a cache behind a queue that was longer at times is held, what a queue drops is not") {
    const bool cached = GENERATE(true, false);
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), used = builder.stack({0x2});
    const auto buffer = [](uint64_t i) { return 0x10000 + i * 64; };
    constexpr uint64_t kAll = 600, kEntries = 16;
    uint64_t taken = 0;
    const auto take = [&] {
        builder.log = 2;
        if (cached) {
            builder.touch(buffer(taken), "insert", used);
            if (taken >= kEntries) builder.release(buffer(taken - kEntries), used);
        } else if (taken < kAll - kEntries) {
            builder.release(buffer(taken), used);
        }
        ++taken;
    };
    for (uint64_t i = 0; i < kAll; ++i) {
        builder.log = 1;
        builder.create(buffer(i), 32, "Entry", made);
        while (i + 1 - taken > (i < 200 ? 150u : 20u)) take();
    }
    while (taken < kAll) take();
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].count == kEntries);
    CHECK((report.findings[0].kind == Kind::kHeld) == cached);
}

TEST_CASE("a leak that begins late is no cache") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1});
    for (uint64_t i = 0; i < 600; ++i) {
        builder.create(0x10000 + i * 64, 32, "B", made);
        if (i < 580) builder.release(0x10000 + i * 64);
    }
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kRefcountLeak);
}

TEST_CASE("a leak of some buffers among many that end is no cache") {
    for (const uint64_t every : {2, 5, 20}) {
        TraceBuilder builder;
        const uint32_t made = builder.stack({0x1});
        for (uint64_t i = 0; i < 400; ++i) {
            const uint64_t buffer = 0x10000 + i * 64;
            builder.create(buffer, 32, "B", made);
            if (i % every != 0) builder.release(buffer);
        }
        const Report report = report_of(builder);
        REQUIRE(report.findings.size() == 1);
        CHECK(report.findings[0].kind == Kind::kRefcountLeak);
        CHECK(report.findings[0].count == 400 / every);
    }
}

TEST_CASE("the young tail of a killed process is in flight") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), last = builder.stack({0x2});
    for (uint64_t i = 0; i < 100; ++i) {
        const uint64_t buffer = 0x10000 + i * 64;
        builder.create(buffer, 32, "B", made).touch(buffer, "work").touch(buffer, "work");
        if (i < 99) builder.release(buffer, last);
    }
    SECTION("killed") {
        builder.header.exit_kind = trace::ExitKind::kSignal;
        builder.header.exit_value = 9;
        const Report report = report_of(builder);
        REQUIRE(report.findings.size() == 1);
        CHECK(report.findings[0].kind == Kind::kHeld);
        CHECK(report.findings[0].reason.starts_with("in-flight"));
        CHECK_FALSE(report.findings[0].culprit);
    }
    SECTION("but not of one that ended by itself") {
        const Report report = report_of(builder);
        REQUIRE(report.findings.size() == 1);
        CHECK(report.findings[0].kind == Kind::kRefcountLeak);
    }
}

TEST_CASE("an old leak of a killed process stays a leak") {
    TraceBuilder builder;
    builder.header.exit_kind = trace::ExitKind::kSignal;
    const uint32_t made = builder.stack({0x1});
    for (uint64_t i = 0; i < 100; ++i) {
        builder.create(0x10000 + i * 64, 32, "B", made);
        if (i != 10) builder.release(0x10000 + i * 64);
    }
    CHECK(findings_of(report_of(builder), Kind::kRefcountLeak).size() == 1);
}

TEST_CASE("losses explain as many leaks as there were lost events, not more") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1});
    for (uint64_t i = 0; i < 10; ++i) builder.create(0x10000 + i * 64, 32, "B", made);
    builder.header.lost[2] = 10;
    Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kHeld);
    CHECK(report.findings[0].reason.starts_with("unseen"));
    CHECK_FALSE(report.processes[0].complete);
    builder.header.lost[2] = 9;
    report = report_of(builder);
    CHECK(report.findings[0].kind == Kind::kRefcountLeak);
}
