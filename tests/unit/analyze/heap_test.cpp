#include "analyze/heap.h"

#include <random>
#include <unordered_map>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

TEST_CASE("blocks that are freed are no finding") {
    TraceBuilder builder;
    for (uint64_t i = 0; i < 100; ++i) builder.malloc(0x1000 + i * 32, 24);
    for (uint64_t i = 0; i < 100; ++i) builder.free(0x1000 + i * 32);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.heap.allocations == 100);
    CHECK(report.summary.heap.frees == 100);
    CHECK(report.summary.heap.peak_bytes == 2400);
    CHECK(report.summary.heap.live_bytes == 0);
    CHECK(report.processes[0].complete);
}

TEST_CASE("live blocks are grouped by the stack that made them") {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0xa, 0x1}), b = builder.stack({0xb, 0x1});
    for (uint64_t i = 0; i < 10; ++i) builder.malloc(0x1000 + i * 32, 16, a);
    for (uint64_t i = 0; i < 3; ++i) builder.malloc(0x2000 + i * 128, 100, b);
    for (uint64_t i = 0; i < 4; ++i) builder.free(0x1000 + i * 32);
    const Report report = report_of(builder);
    const auto leaks = findings_of(report, Kind::kHeapLeak);
    REQUIRE(leaks.size() == 2);
    CHECK(leaks[0].count == 3);
    CHECK(leaks[0].bytes == 300);
    CHECK(leaks[0].created[0].function == "fb");
    CHECK(leaks[1].count == 6);
    CHECK(leaks[1].peers_ended == 4);
    REQUIRE(leaks[1].example.events.size() == 1);
    CHECK(leaks[1].example.events[0].op == "malloc");
    CHECK(leaks[1].example.buffer == 0x1000 + 4 * 32);
}

TEST_CASE("an address that threads exchange a million times balances") {
    // Thread 1 allocates, thread 2 frees, at the same few addresses, in separate logs.
    TraceBuilder builder;
    std::mt19937 random(3);
    std::vector<bool> live(16);
    uint64_t ticks = 2000;
    uint64_t made = 0, alive = 0;
    for (int i = 0; i < 100'000; ++i) {
        const uint64_t slot = random() % live.size();
        Record record;
        record.event.op = live[slot] ? trace::Op::kFree : trace::Op::kMalloc;
        record.event.address = 0x1000 + slot * 64;
        record.event.size = 48;
        record.event.ticks = ticks += random() % 2;
        record.event.thread = 1 + random() % 8;
        // A free and a malloc of one address in two logs at one tick: the free comes first.
        if (!live[slot]) ++made;
        live[slot] = !live[slot];
        alive += live[slot] ? 1 : UINT64_MAX;
        if (!live[slot]) ticks += 1;  // a begin must be over before its end starts
        record.event.ticks = ticks;
        builder.add(record.event.thread, record);
    }
    const Report report = report_of(builder);
    CHECK(report.summary.heap.allocations == made);
    CHECK(report.summary.heap.live == alive);
    CHECK(findings_of(report, Kind::kDoubleFree).empty());
}

TEST_CASE("a free at the tick of another thread's malloc of that address is the older life's") {
    TraceBuilder builder;
    builder.malloc(0x1000, 16);
    Record end, begin;
    end.event.op = trace::Op::kFree;
    begin.event.op = trace::Op::kMalloc;
    end.event.address = begin.event.address = 0x1000;
    end.event.ticks = begin.event.ticks = builder.now + 5;
    begin.event.size = 99;
    builder.add(1, begin).add(2, end);
    const Report report = report_of(builder);
    CHECK(report.summary.heap.live_bytes == 99);
    CHECK(findings_of(report, Kind::kDoubleFree).empty());
}

TEST_CASE("a realloc moves a block; the old address is free") {
    TraceBuilder builder;
    const uint32_t grown = builder.stack({0x99});
    builder.malloc(0x1000, 16).realloc_begin(0x1000).realloc_end(0x1000, 0x2000, 64, grown);
    builder.malloc(0x1000, 8).free(0x1000);
    const Report report = report_of(builder);
    const auto leaks = findings_of(report, Kind::kHeapLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].bytes == 64);
    CHECK(leaks[0].created[0].function == "f99");
    CHECK(report.summary.heap.allocations == 3);
    CHECK(report.summary.heap.frees == 2);
}

TEST_CASE("a realloc that failed leaves the old block as it was") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x11});
    builder.malloc(0x1000, 16, made).realloc_begin(0x1000).realloc_end(0x1000, 0, 1u << 30);
    const Report report = report_of(builder);
    const auto leaks = findings_of(report, Kind::kHeapLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].bytes == 16);
    CHECK(leaks[0].created[0].function == "f11");
    CHECK(report.summary.heap.frees == 0);

    TraceBuilder freed;
    freed.malloc(0x1000, 16).realloc_begin(0x1000).realloc_end(0x1000, 0, 1u << 30).free(0x1000);
    CHECK(report_of(freed).findings.empty());
}

TEST_CASE("a second free is a double free with both places") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), first = builder.stack({0x2}),
                   second = builder.stack({0x3});
    builder.malloc(0x1000, 16, made).free(0x1000, first).free(0x1000, second);
    const auto found = findings_of(report_of(builder), Kind::kDoubleFree);
    REQUIRE(found.size() == 1);
    CHECK(found[0].count == 1);
    CHECK(found[0].created[0].function == "f1");
    REQUIRE(found[0].culprit);
    CHECK(found[0].culprit->frame.function == "f3");
    REQUIRE(found[0].example.events.size() == 3);
    CHECK(found[0].example.events[1].stack[0].function == "f2");
}

TEST_CASE("a double free is not claimed where events may be missing") {
    TraceBuilder builder;
    builder.malloc(0x1000, 16).free(0x1000).free(0x1000);
    SECTION("lost events") {
        builder.header.lost[2] = 1;
    }
    SECTION("a forked child") {
        builder.header.notes = trace::kNoteInherited;
    }
    SECTION("a late start") {
        builder.header.notes = trace::kNoteLateStart;
    }
    SECTION("a missing chunk") {
        builder.skip_sequence(1).new_chunk(1).malloc(0x3000, 1);
    }
    CHECK(findings_of(report_of(builder), Kind::kDoubleFree).empty());
}

TEST_CASE("a free of a block from before the trace is no error") {
    TraceBuilder builder;
    builder.free(0x1000).free(0x2000).malloc(0x1000, 16).free(0x1000);
    const Report report = report_of(builder);
    CHECK(report.findings.empty());
    CHECK(report.summary.heap.frees == 1);
}

TEST_CASE("the table agrees with a plain map over random lives, and stays bounded") {
    MisuseLog misuses;
    Heap heap(misuses, true);
    std::unordered_map<uint64_t, uint64_t> model;
    std::mt19937_64 random(5);
    Event event;
    for (int i = 0; i < 400'000; ++i) {
        ++event.ticks;
        event.address = 0x5000'0000'0000 + random() % 200'000 * 16;
        if (model.size() < 500 && !model.contains(event.address)) {
            event.op = trace::Op::kMalloc;
            event.size = random() % 1000;
            heap.begin(event);
            model[event.address] = event.size;
        } else if (!model.empty()) {
            event.op = trace::Op::kFree;
            event.address = model.begin()->first;
            REQUIRE(heap.end(event) == model.begin()->second);
            model.erase(model.begin());
        }
    }
    size_t live = 0;
    heap.blocks().for_each_live([&](const HeapBlock& block) {
        ++live;
        REQUIRE(model.at(block.address) == block.size);
    });
    CHECK(live == model.size());
    CHECK(heap.gaps().unseen_allocations == 0);
}

TEST_CASE("failed allocations are grouped by place") {
    TraceBuilder builder;
    const uint32_t place = builder.stack({0x1});
    builder.failed(trace::FailedCall::kMalloc, uint64_t{1} << 40, place);
    builder.failed(trace::FailedCall::kMalloc, uint64_t{1} << 41, place);
    const auto found = findings_of(report_of(builder), Kind::kAllocationFailure);
    REQUIRE(found.size() == 1);
    CHECK(found[0].count == 2);
    CHECK(found[0].created[0].function == "f1");
    CHECK(found[0].reason.find("malloc") != std::string::npos);
}
