#include "analyze/analysis.h"

#include <algorithm>

#include "pack/open_trace.h"
#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

bool says(const Process& process, const std::string& words) {
    return std::any_of(
        process.warnings.begin(), process.warnings.end(),
        [&](const std::string& warning) { return warning.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("the process is described") {
    TraceBuilder builder;
    builder.malloc(0x1000, 8).free(0x1000);
    const Report report = report_of(builder);
    REQUIRE(report.processes.size() == 1);
    const Process& process = report.processes[0];
    CHECK(process.pid == 42);
    CHECK(process.executable == "/bin/program");
    CHECK(process.level == "paranoid");
    CHECK(process.started == "2023-11-14T22:13:20.000Z");
    CHECK(process.exit == "status 0");
    CHECK(process.events == 2);
    CHECK(process.complete);
    CHECK(process.warnings.empty());
}

TEST_CASE("a trace without events is not clean") {
    TraceBuilder builder;
    builder.load(0, 0x1000, 0x1000, "/bin/program");
    const Report report = report_of(builder);
    CHECK_FALSE(report.processes[0].complete);
    CHECK(says(report.processes[0], "no events"));
}

TEST_CASE("a forked child that was killed before it did anything has a complete trace") {
    TraceBuilder builder;
    builder.header.notes = trace::kNoteInherited;
    builder.header.exit_kind = trace::ExitKind::kNone;
    const Report report = report_of(builder);
    CHECK(report.processes[0].complete);
    CHECK(report.processes[0].warnings.empty());
}

TEST_CASE("losses, notes and missing chunks are said in words and make it incomplete") {
    TraceBuilder builder;
    builder.malloc(0x1000, 8).free(0x1000);
    std::string words;
    SECTION("losses") {
        builder.header.lost[1] = 5;
        words = "5 events lost: LASTREF_MAX_SIZE";
    }
    SECTION("own malloc") {
        builder.header.notes = trace::kNoteOwnMalloc;
        words = "own allocator is not seen";
    }
    SECTION("stopped") {
        builder.header.notes = trace::kNoteStopped;
        words = "recording stopped";
    }
    SECTION("chunks") {
        builder.skip_sequence(1).new_chunk(1);
        words = "1 chunk of events missing";
    }
    SECTION("stacks") {
        builder.malloc(0x2000, 8, 12345).free(0x2000);
        words = "1 stack missing";
    }
    const Report report = report_of(builder);
    CHECK_FALSE(report.processes[0].complete);
    CHECK(says(report.processes[0], words));
}

TEST_CASE("damage late in a file is a warning and what came before is reported") {
    TraceBuilder builder;
    builder.malloc(0x1000, 8, builder.stack({0x1}));
    builder.new_chunk(1).malloc(0x2000, 8);
    std::vector<uint8_t> bytes = builder.bytes();
    bytes.resize(bytes.size() - 4096);
    auto opened = open_trace(bytes, "cut");
    REQUIRE(static_cast<bool>(opened));
    FakeFrames frames;
    Report report;
    analyze_trace(**opened, frames, {}, report);
    CHECK_FALSE(report.processes[0].complete);
    REQUIRE_FALSE(report.processes[0].warnings.empty());
    CHECK(report.processes[0].warnings[0].find("damaged at offset") == 0);
    CHECK(report.summary.heap.allocations == 1);
    CHECK(findings_of(report, Kind::kHeapLeak).size() == 1);
}

TEST_CASE("blocks of a killed process' last moments are counted apart") {
    TraceBuilder builder;
    builder.header.exit_kind = trace::ExitKind::kSignal;
    builder.header.exit_value = 9;
    const uint32_t place = builder.stack({0x1});
    builder.malloc(0x1000, 100, place);
    builder.now += 10'000;
    builder.malloc(0x2000, 30, place);
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].count == 2);
    CHECK(report.findings[0].recent == 1);
    CHECK(report.summary.recent_blocks == 1);
    CHECK(report.summary.recent_bytes == 30);
    CHECK(report.processes[0].exit == "signal 9");
}

TEST_CASE("several traces make one report with their own processes") {
    TraceBuilder first, second;
    first.malloc(0x1000, 10, first.stack({0x1}));
    second.header.pid = 43;
    second.malloc(0x1000, 1000, second.stack({0x1}));
    FakeFrames frames;
    Report report;
    const auto a = first.open(), b = second.open();
    analyze_trace(*a, frames, {}, report);
    analyze_trace(*b, frames, {}, report);
    complete_report(report);
    REQUIRE(report.processes.size() == 2);
    REQUIRE(report.findings.size() == 2);
    CHECK(report.findings[0].process == 1);
    CHECK(report.findings[0].id == report.findings[1].id);
    CHECK(report.summary.heap.live_bytes == 1010);
}

TEST_CASE("the worst comes first") {
    TraceBuilder builder;
    const uint32_t place = builder.stack({0x1});
    builder.malloc(0x100000, 1u << 20, place).mmap(0x200000, 1u << 24, place);
    builder.create(0x1000, 1, "B", place);
    builder.malloc(0x5000, 1, place).free(0x5000).free(0x5000, place);
    builder.create(0x2000, 1, "C", place).count(0x2000, 3);
    std::vector<Kind> kinds;
    for (const Finding& finding : report_of(builder).findings) kinds.push_back(finding.kind);
    CHECK(kinds == std::vector<Kind>{Kind::kDoubleFree, Kind::kRefcountLeak, Kind::kHeapLeak,
                                     Kind::kMappingLeak, Kind::kHeld});
}

TEST_CASE("very many groups of heap leaks end in one finding for the smallest") {
    TraceBuilder builder;
    uint64_t address = 0x10000;
    for (uint64_t i = 0; i < 2500; ++i) {
        builder.malloc(address += 16384, 5000 - i, builder.stack({0x1000 + i}));
    }
    const Report report = report_of(builder);
    const auto leaks = findings_of(report, Kind::kHeapLeak);
    REQUIRE(leaks.size() == 2001);
    CHECK(leaks.back().count == 500);
    CHECK(leaks.back().created.empty());
    uint64_t bytes = 0;
    for (const Finding& finding : leaks) bytes += finding.bytes;
    CHECK(bytes == report.summary.heap.live_bytes);
}
