#include "analyze/buffers.h"

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

constexpr uint32_t kKnown = trace::kCountKnown;

// A trace that hooks the type Box, with a counter that was seen to follow its operations.
struct Trace : TraceBuilder {
    explicit Trace(uint32_t flags = kKnown, bool followed = true) {
        hook(trace::HookFact::kType, "Box", flags);
        if (followed) hook(trace::HookFact::kCounterFollowed, "Box", 0);
    }
};

const HookedType& hooked(const Report& report) {
    REQUIRE(report.summary.hooked.size() == 1);
    return report.summary.hooked[0];
}

}  // namespace

TEST_CASE("a counter that is what the events say adds nothing to them") {
    Trace trace;
    trace.create(0x1000, 0, "Box").counted(0x1000, 1, "Box", kKnown).retain(0x1000);
    trace.counted(0x1000, 2, "Box", kKnown).release(0x1000);
    const Report report = report_of(trace);
    const auto leaks = findings_of(report, Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].example.events.size() == 3);
    CHECK((hooked(report).seen == 3 && hooked(report).unseen == 0));
}

TEST_CASE("operations without an event are inferred from the counter, up and down") {
    Trace trace;
    trace.create(0x1000, 0, "Box").counted(0x1000, 3, "Box", kKnown).release(0x1000);
    trace.counted(0x1000, 1, "Box", kKnown).release(0x1000);
    const Report report = report_of(trace);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.ended == 1);
    CHECK((hooked(report).seen == 3 && hooked(report).unseen == 3));
}

TEST_CASE("what is held by unseen operations is not called leaked") {
    Trace trace;
    trace.create(0x1000, 0, "Box").retain(0x1000);
    trace.counted(0x1000, 1, "Box", kKnown).retain(0x1000);
    const Report report = report_of(trace);
    CHECK(findings_of(report, Kind::kRefcountLeak).empty());
    const auto held = findings_of(report, Kind::kHeld);
    REQUIRE(held.size() == 1);
    CHECK(held[0].final_count_min == 2);
}

TEST_CASE("between threads a reading that differs once is a race, twice it is a count") {
    for (const int times : {1, 2}) {
        Trace trace;
        trace.create(0x1000, 0, "Box");
        trace.log = 2;  // another thread
        for (int i = 0; i < times; ++i) trace.counted(0x1000, 2, "Box", kKnown).touch(0x1000, "");
        trace.log = 1;
        trace.release(0x1000);
        const Report report = report_of(trace);
        CHECK(hooked(report).unseen == (times == 1 ? 0 : 1));
        CHECK(report.summary.buffers.ended == (times == 1 ? 1 : 0));
    }
}

TEST_CASE("a counter that was never seen to follow the operations means nothing") {
    Trace trace(kKnown, false);
    trace.counted(0x1000, 7, "Box", kKnown).create(0x1000, 0, "Box");
    trace.counted(0x1000, 7, "Box", kKnown).retain(0x1000);
    trace.counted(0x1000, 7, "Box", kKnown).release(0x1000);
    const auto leaks = findings_of(report_of(trace), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].final_count_max == 1);
    trace.counted(0x1000, 7, "Box", kKnown).release(0x1000);
    const Report balanced = report_of(trace);
    CHECK(balanced.findings.empty());
    CHECK((hooked(balanced).unseen == 0 && hooked(balanced).counter_refused.empty()));
}

TEST_CASE("a counter that contradicts the operations is not believed from the beginning on") {
    Trace trace;
    trace.counted(0x1000, 7, "Box", kKnown).create(0x1000, 0, "Box").release(0x1000);
    trace.hook(trace::HookFact::kNoCounter, "Box", 7, "it does not follow");
    const Report report = report_of(trace);
    CHECK(report.findings.empty());
    CHECK(hooked(report).counter_refused == "read 7: it does not follow");
    CHECK(hooked(report).partial.empty());
}

TEST_CASE("where creations are not all seen, a type without its counter is seen in part") {
    Trace trace(kKnown | trace::kImplicit, false);
    trace.counted(0x1000, 5, "Box", kKnown | trace::kImplicit).retain(0x1000);
    const Report report = report_of(trace);
    CHECK(findings_of(report, Kind::kRefcountLeak).empty());
    CHECK(findings_of(report, Kind::kHeld).size() == 1);
    CHECK(hooked(report).partial == "not all creations are seen, nor its counter");
}

TEST_CASE("at zero a buffer of a pool may be brought back; a destroy ends it") {
    constexpr uint32_t kFlags = kKnown | trace::kRevives;
    Trace trace(kFlags);
    trace.create(0x1000, 0, "Box").counted(0x1000, 1, "Box", kFlags).release(0x1000);
    trace.counted(0x1000, 0, "Box", kFlags).retain(0x1000);  // into its pool
    CHECK(report_of(trace).summary.buffers.ended == 0);
    trace.destroy(0x1000);
    const Report report = report_of(trace);
    CHECK(report.findings.empty());
    CHECK((report.summary.buffers.created == 1 && report.summary.buffers.ended == 1));
    CHECK(hooked(report).unseen == 0);
}

TEST_CASE(
    "a release that is recorded when its function returns may come after the free it caused") {
    Trace trace;
    trace.malloc(0x1000, 16).create(0x1000, 0, "Box").free(0x1000);
    const Report unexplained = report_of(trace);
    CHECK((hooked(unexplained).seen == 1 && hooked(unexplained).unseen == 1));
    trace.log = 2;  // another thread is given the memory in between
    trace.malloc(0x1000, 16).create(0x1000, 0, "Box").retain(0x1000);
    trace.log = 1;
    trace.counted(0x1000, 0, "Box", trace::kReturned).release(0x1000);
    const Report report = report_of(trace);
    CHECK((hooked(report).seen == 4 && hooked(report).unseen == 0));
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Kind::kRefcountLeak);
    CHECK(report.findings[0].final_count_min == 2);
}

TEST_CASE("a release that freed nothing is one of the buffer that is there") {
    Trace trace;
    trace.malloc(0x1000, 16).create(0x1000, 0, "Box").free(0x1000);
    trace.malloc(0x1000, 16).create(0x1000, 0, "Box").retain(0x1000);
    trace.counted(0x1000, 0, "Box", trace::kReturned).release(0x1000);
    const auto leaks = findings_of(report_of(trace), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].final_count_max == 1);
}

TEST_CASE("a type that is seen in part is accused of nothing") {
    for (const bool partial : {false, true}) {
        Trace trace;
        if (partial) trace.hook(trace::HookFact::kPartial, "Box", 0, "box_get: too short");
        trace.create(0x1000, 0, "Box").release(0x1000).release(0x1000);
        trace.create(0x2000, 0, "Box");
        const Report report = report_of(trace);
        const size_t accused = partial ? 0 : 1;
        CHECK(findings_of(report, Kind::kOverRelease).size() == accused);
        CHECK(findings_of(report, Kind::kRefcountLeak).size() == accused);
        CHECK(hooked(report).partial == (partial ? "box_get: too short" : ""));
    }
}

TEST_CASE(
    "where creations are not seen, a counter that went to zero separates one life from the next") {
    constexpr uint32_t kFlags = kKnown | trace::kImplicit;
    Trace trace(kFlags);
    for (int i = 0; i < 3; ++i) {
        trace.counted(0x1000, 1, "Box", kFlags).retain(0x1000);
        trace.counted(0x1000, 2, "Box", kFlags).release(0x1000);
        trace.counted(0x1000, 1, "Box", kFlags).release(0x1000);
    }
    const Report report = report_of(trace);
    CHECK(report.findings.empty());
    CHECK(report.summary.buffers.created == 3);
    CHECK(report.summary.buffers.ended == 3);

    Trace untold(kFlags);  // the end is the model's alone: it was none
    untold.counted(0x1000, 0, "Box", trace::kImplicit).retain(0x1000);
    untold.release(0x1000).release(0x1000);
    untold.counted(0x1000, 1, "Box", kFlags).release(0x1000);
    CHECK(report_of(untold).summary.buffers.created == 1);
}

TEST_CASE("a log may have any number: what it counted takes no room for the others") {
    for (const uint32_t log : {UINT32_MAX, UINT32_MAX / 2}) {
        Trace trace;
        trace.log = log;
        trace.create(0x1000, 0, "Box").counted(0x1000, 3, "Box", kKnown).release(0x1000);
        trace.counted(0x1000, 1, "Box", kKnown).release(0x1000);
        const Report report = report_of(trace);
        CHECK(report.summary.buffers.ended == 1);
        CHECK((hooked(report).seen == 3 && hooked(report).unseen == 3));
    }
}
