#include "analyze/merge_report.h"

#include "support/catch.h"
#include "support/fake_frames.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

// Two processes that share some places, types and frames, and not others.
TraceBuilder process(int32_t pid, uint64_t own_place) {
    TraceBuilder builder;
    builder.header.pid = pid;
    builder.header.start_realtime_ns = static_cast<uint64_t>(pid) * 1000;
    builder.malloc(0x1000, 10, builder.stack({0x1, 0x2}));
    builder.malloc(0x2000, 20, builder.stack({own_place, 0x2}));
    builder.create(0x3000, 30, own_place == 0x5 ? "A" : "B", builder.stack({0x1, 0x2}));
    builder.mmap(0x100000, 1u << 20, builder.stack({0x7}));
    return builder;
}

void check_same(const UsageAmount& a, const UsageAmount& b) {
    CHECK(a.bytes == b.bytes);
    CHECK(a.count == b.count);
}

void check_same(const UsageReport& a, const UsageReport& b) {
    CHECK(a.types == b.types);
    CHECK(a.start_realtime_ns == b.start_realtime_ns);
    CHECK(a.duration_ns == b.duration_ns);
    REQUIRE(a.frames.size() == b.frames.size());
    for (size_t i = 0; i < a.frames.size(); ++i)
        CHECK(a.frames[i].function == b.frames[i].function);
    REQUIRE(a.nodes.size() == b.nodes.size());
    for (size_t i = 0; i < a.nodes.size(); ++i) {
        CHECK(a.nodes[i].parent == b.nodes[i].parent);
        CHECK(a.nodes[i].frame == b.nodes[i].frame);
    }
    REQUIRE(a.sites.size() == b.sites.size());
    for (size_t i = 0; i < a.sites.size(); ++i) {
        CHECK(a.sites[i].type == b.sites[i].type);
        CHECK(a.sites[i].node == b.sites[i].node);
        check_same(a.sites[i].live, b.sites[i].live);
        check_same(a.sites[i].peak, b.sites[i].peak);
        check_same(a.sites[i].allocated, b.sites[i].allocated);
    }
    REQUIRE(a.series.size() == b.series.size());
    for (size_t i = 0; i < a.series.size(); ++i) {
        CHECK(a.series[i].process == b.series[i].process);
        CHECK(a.series[i].type == b.series[i].type);
        check_same(a.series[i].peak, b.series[i].peak);
    }
}

}  // namespace

TEST_CASE("parts put together are what one report of all traces is") {
    FakeFrames frames;
    const TraceBuilder builders[] = {process(50, 0x5), process(40, 0x6), process(60, 0x5)};
    Report whole, merged;
    UsageBuilder whole_usage(whole.usage.emplace()), merged_usage(merged.usage.emplace());
    for (const TraceBuilder& builder : builders) {
        const auto opened = builder.open();
        analyze_trace(*opened, frames, {}, whole, &whole_usage);
        Report part;
        UsageBuilder usage(part.usage.emplace());
        const auto again = builder.open();
        analyze_trace(*again, frames, {}, part, &usage);
        merge_report(merged, std::move(part), &merged_usage);
    }
    complete_report(whole);
    complete_report(merged);

    REQUIRE(merged.processes.size() == 3);
    CHECK(merged.processes[1].pid == 40);
    CHECK(merged.summary.heap.live_bytes == whole.summary.heap.live_bytes);
    CHECK(merged.summary.heap.live == 6);
    CHECK(merged.summary.mappings.live_bytes == 3u << 20);
    CHECK(merged.summary.buffers.created == 3);
    REQUIRE(merged.findings.size() == whole.findings.size());
    for (size_t i = 0; i < whole.findings.size(); ++i) {
        CHECK(merged.findings[i].id == whole.findings[i].id);
        CHECK(merged.findings[i].process == whole.findings[i].process);
        CHECK(merged.findings[i].bytes == whole.findings[i].bytes);
    }
    check_same(*merged.usage, *whole.usage);
}

TEST_CASE("a hooked type of several parts is counted together, and so is the coverage") {
    Report merged;
    for (const uint64_t unseen : {0, 10}) {
        Report part;
        HookedType& type = hooked_type(part.summary, "AVBuffer");
        type.seen = 45;
        type.unseen = unseen;
        if (unseen == 0) type.partial = "no pool";
        if (unseen == 0) type.counter_refused = "read 7";
        merge_report(merged, std::move(part), nullptr);
    }
    complete_report(merged);
    REQUIRE(merged.summary.hooked.size() == 1);
    CHECK(merged.summary.hooked[0].seen == 90);
    CHECK(merged.summary.hooked[0].partial == "no pool");
    CHECK(merged.summary.hooked[0].counter_refused == "read 7");
    CHECK(merged.summary.coverage == 0.9);
}
