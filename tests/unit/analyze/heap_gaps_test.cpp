#include "analyze/heap_gaps.h"

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

bool in_part(const Report& report) {
    const Process& process = report.processes[0];
    if (process.warnings.empty()) return false;
    CHECK(process.warnings[0].starts_with("the heap was seen in part"));
    CHECK_FALSE(process.complete);
    return true;
}

// 0x1000 is freed twice, and what becomes of the address follows.
TraceBuilder freed_twice() {
    TraceBuilder builder;
    builder.malloc(0x1000, 16).free(0x1000).free(0x1000);
    return builder;
}

}  // namespace

TEST_CASE("a second free is a double free where nothing speaks against it") {
    const Report report = report_of(freed_twice());
    CHECK(findings_of(report, Kind::kDoubleFree).size() == 1);
    CHECK_FALSE(in_part(report));
}

TEST_CASE("a block that was freed twice is handed out twice") {
    TraceBuilder builder = freed_twice();
    builder.malloc(0x1000, 16).malloc(0x1000, 16).free(0x1000);
    const Report report = report_of(builder);
    CHECK(findings_of(report, Kind::kDoubleFree).size() == 1);
    CHECK_FALSE(in_part(report));
}

TEST_CASE("a block that lives on as if freed once was allocated unseen in between") {
    TraceBuilder builder = freed_twice();
    builder.malloc(0x1000, 16).free(0x1000);
    SECTION("where the allocator looks out for double frees") {
        builder.malloc(0x2000, 16, builder.stack({0x1}));
        const Report report = report_of(builder);
        CHECK(findings_of(report, Kind::kDoubleFree).empty());
        CHECK(findings_of(report, Kind::kHeapLeak).empty());
        REQUIRE(findings_of(report, Kind::kHeld).size() == 1);
        CHECK(findings_of(report, Kind::kHeld)[0].reason.starts_with("unseen: "));
        CHECK(in_part(report));
    }
    SECTION("else it proves nothing") {
        builder.load(0, 0x700000, 0x1000, "/usr/lib/libjemalloc.so.2");
        const Report report = report_of(builder);
        CHECK(findings_of(report, Kind::kDoubleFree).size() == 1);
        CHECK_FALSE(in_part(report));
    }
}

TEST_CASE("one allocation that was not seen takes the proof from every second free") {
    TraceBuilder builder = freed_twice();
    builder.free(0x5000);
    SECTION("in a process that was traced from its start") {
        const Report report = report_of(builder);
        CHECK(report.findings.empty());
        CHECK(in_part(report));
    }
    SECTION("but not of what a forked child inherited") {
        builder.header.notes = trace::kNoteInherited;
        CHECK_FALSE(in_part(report_of(builder)));
    }
    SECTION("nor where it was lost") {
        builder.header.lost[0] = 1;
        const Report report = report_of(builder);
        REQUIRE(report.processes[0].warnings.size() == 1);
        CHECK(report.processes[0].warnings[0].starts_with("1 event lost"));
    }
}

TEST_CASE("an address that is handed out while its block is live was freed unseen") {
    TraceBuilder builder;
    const uint32_t place = builder.stack({0x1});
    builder.malloc(0x1000, 16, place).malloc(0x1000, 16, place);
    SECTION("from the start") {}
    SECTION("in a forked child") {
        builder.header.notes = trace::kNoteInherited;
    }
    const Report report = report_of(builder);
    CHECK(findings_of(report, Kind::kHeapLeak).empty());
    CHECK(findings_of(report, Kind::kHeld).size() == 1);
    CHECK(in_part(report));
}
