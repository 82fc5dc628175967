#include "analyze/buffers.h"

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

TEST_CASE("a buffer whose releases reach zero has ended") {
    TraceBuilder builder;
    builder.malloc(0x1000, 64).create(0x1010, 48, "Buffer").retain(0x1010);
    builder.touch(0x1010, "read").release(0x1010).release(0x1010).free(0x1000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.created == 1);
    CHECK(report.summary.buffers.ended == 1);
    CHECK(report.summary.buffers.leaked == 0);
}

TEST_CASE("destroy ends a buffer whatever its count, and a pool may hand it out again") {
    TraceBuilder builder;
    for (int i = 0; i < 3; ++i) builder.create(0x1000, 16, "Pooled").retain(0x1000).destroy(0x1000);
    builder.create(0x1000, 16, "Pooled").release(0x1000).destroy(0x1000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.ended == 4);
}

TEST_CASE("a live buffer is a refcount leak with its whole history") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1, 0x9}), kept = builder.stack({0x2, 0x9});
    builder.create(0x1000, 256, "ByteBuf", made).retain(0x1000, kept).release(0x1000, kept);
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].type == "ByteBuf");
    CHECK(leaks[0].count == 1);
    CHECK(leaks[0].bytes == 256);
    CHECK(leaks[0].final_count_min == 1);
    CHECK(leaks[0].final_count_max == 1);
    REQUIRE(leaks[0].example.events.size() == 3);
    CHECK(leaks[0].example.events[0].op == "create");
    CHECK(leaks[0].example.events[1].count == 2);
    CHECK(leaks[0].example.events[2].op == "release");
    CHECK(leaks[0].created[0].function == "f1");
}

TEST_CASE("a release after the end is an over-release that lists the releases before it") {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0xa}), b = builder.stack({0xb});
    builder.create(0x1000, 16, "Buffer").release(0x1000, a).release(0x1000, b).release(0x1000, b);
    const Report report = report_of(builder);
    const auto found = findings_of(report, Kind::kOverRelease);
    REQUIRE(found.size() == 1);
    CHECK(found[0].count == 1);
    REQUIRE(found[0].culprit);
    CHECK(found[0].culprit->frame.function == "fb");
    CHECK(found[0].culprit->ambiguous);
    REQUIRE(found[0].suspects.size() == 2);
    CHECK(found[0].suspects[1].frame.function == "fa");
    CHECK(report.findings.size() == 1);
}

TEST_CASE("a touch after the last release is a use after release, freed memory or not") {
    for (const bool freed : {false, true}) {
        TraceBuilder builder;
        const uint32_t use = builder.stack({0x7});
        builder.malloc(0x1000, 32).create(0x1000, 16, "Buffer").release(0x1000);
        if (freed) builder.free(0x1000);
        builder.touch(0x1000, "late", use);
        if (!freed) builder.free(0x1000);
        const auto found = findings_of(report_of(builder), Kind::kUseAfterRelease);
        REQUIRE(found.size() == 1);
        CHECK(found[0].culprit->frame.function == "f7");
        CHECK(found[0].example.events.back().hint == "late");
    }
}

TEST_CASE("memory that was allocated anew is not the old buffer any more") {
    TraceBuilder builder;
    builder.malloc(0x1000, 32).create(0x1010, 16, "Buffer").release(0x1010).free(0x1000);
    builder.malloc(0x1000, 32).touch(0x1010, "of something that was not hooked").free(0x1000);
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("freeing memory with a live buffer in it is freed-while-referenced, once") {
    TraceBuilder builder;
    const uint32_t place = builder.stack({0x5});
    builder.malloc(0x1000, 64).create(0x1010, 32, "Buffer").retain(0x1010);
    builder.free(0x1000, place).release(0x1010).release(0x1010);
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kFreedWhileReferenced);
    CHECK(report.findings[0].culprit->frame.function == "f5");
    CHECK(report.findings[0].final_count_max == 2);
    CHECK(report.findings[0].example.events.back().op == "free");
    CHECK(report.summary.buffers.leaked == 0);
}

TEST_CASE("unmapping memory with a live buffer in it is freed-while-referenced") {
    TraceBuilder builder;
    builder.mmap(0x100000, 64 * 4096).create(0x120000, 32, "Buffer").munmap(0x100000, 64 * 4096);
    CHECK(findings_of(report_of(builder), Kind::kFreedWhileReferenced).size() == 1);
}

TEST_CASE("a move keeps the buffer's identity") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").retain(0x1000).move(0x1000, 0x2000);
    builder.release(0x2000).release(0x2000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.created == 1);
}

TEST_CASE("a realloc takes the buffers in its block along") {
    TraceBuilder builder;
    builder.malloc(0x1000, 64).create(0x1010, 16, "Buffer");
    builder.realloc_begin(0x1000).realloc_end(0x1000, 0x8000, 128);
    SECTION("and events go on at the new address") {
        builder.release(0x8010).free(0x8000);
    }
    SECTION("and a move that says so afterwards changes nothing") {
        builder.malloc(0x1000, 64).create(0x1010, 16, "Buffer");  // the old address is reused
        builder.move(0x1010, 0x8010).release(0x8010).free(0x8000);
        builder.release(0x1010).free(0x1000);
    }
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("a realloc that failed leaves the buffers where they were") {
    TraceBuilder builder;
    builder.malloc(0x1000, 64).create(0x1010, 16, "Buffer");
    builder.realloc_begin(0x1000).realloc_end(0x1000, 0, 1u << 30);
    builder.release(0x1010).free(0x1000);
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("a gap in the true counter is unseen operations and no accusation") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").retain(0x1000).count(0x1000, 4);
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kHeld);
    CHECK(report.findings[0].reason.starts_with("unseen"));
    CHECK_FALSE(report.findings[0].culprit);
    CHECK(report.findings[0].final_count_max == 4);
}

TEST_CASE("a true counter that agrees says nothing, and zero ends the life") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").retain(0x1000).count(0x1000, 2).release(0x1000);
    builder.count(0x1000, 0);
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("a create at a live address replaces the life without accusation") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").create(0x1000, 16, "Buffer").release(0x1000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.created == 2);
    CHECK(report.summary.buffers.ended == 2);
}

TEST_CASE("a retain that another thread recorded just too late revives the buffer") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").release(0x1000);
    builder.log = 2;
    builder.retain(0x1000).touch(0x1000, "use").release(0x1000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.ended == 1);
}

TEST_CASE("events about buffers from before the trace are ignored") {
    TraceBuilder builder;
    builder.retain(0x1000).release(0x1000).release(0x1000).touch(0x1000, "x").move(0x1000, 0x2000);
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("misuse is not claimed where events were lost") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer").release(0x1000).release(0x1000);
    builder.header.lost[0] = 1;
    CHECK(report_of(builder).findings.empty());
}

TEST_CASE("a very long history keeps both ends") {
    TraceBuilder builder;
    builder.create(0x1000, 16, "Buffer", builder.stack({0x1}));
    const uint32_t up = builder.stack({0x2}), down = builder.stack({0x3});
    for (int i = 0; i < 5000; ++i) builder.retain(0x1000, up).release(0x1000, down);
    builder.touch(0x1000, "last");
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    const Example& example = leaks[0].example;
    CHECK(example.events.size() + example.events_left_out == 10002);
    CHECK(example.events.front().op == "create");
    CHECK(example.events.back().hint == "last");
    for (size_t i = 1; i < example.events.size(); ++i) {
        REQUIRE(example.events[i - 1].time_ns < example.events[i].time_ns);
    }
}
