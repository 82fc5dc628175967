#include "read/event_merger.h"

#include <random>
#include <utility>
#include <vector>

#include "read/batch_reader.h"
#include "support/catch.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::trace;
using lastref::testing::Record;
using lastref::testing::TraceBuilder;

namespace {

Record at(Op op, uint64_t ticks, uint64_t address) {
    Record record;
    record.event.op = op;
    record.event.ticks = ticks;
    record.event.address = address;
    record.event.thread = 1;
    return record;
}

std::vector<Event> merged(const TraceBuilder& builder) {
    const auto trace = builder.open();
    EventMerger merger(*trace);
    std::vector<Event> events;
    while (const Event* event = merger.next()) events.push_back(*event);
    CHECK(merger.next() == nullptr);
    return events;
}

}  // namespace

TEST_CASE("events of several logs come in time order") {
    TraceBuilder builder;
    builder.add(1, at(Op::kMalloc, 2000, 1)).add(1, at(Op::kMalloc, 2030, 4));
    builder.add(2, at(Op::kMalloc, 2010, 2)).add(2, at(Op::kMalloc, 2020, 3));
    builder.add(3, at(Op::kMalloc, 2040, 5));
    std::vector<uint64_t> order;
    for (const Event& event : merged(builder)) order.push_back(event.address);
    CHECK(order == std::vector<uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("at equal times what ends a life comes before what begins one") {
    for (const Op end : {Op::kFree, Op::kMunmap, Op::kRelease, Op::kDestroy, Op::kReallocBegin,
                         Op::kMremapBegin}) {
        TraceBuilder builder;
        builder.add(1, at(Op::kMalloc, 3000, 0x40));
        builder.add(2, at(end, 3000, 0x40));
        const std::vector<Event> events = merged(builder);
        REQUIRE(events.size() == 2);
        CHECK(events[0].op == end);
        CHECK(events[1].op == Op::kMalloc);
    }
}

TEST_CASE("at equal times within a log the order stays as it was written") {
    TraceBuilder builder;
    builder.add(1, at(Op::kMalloc, 3000, 0x40)).add(1, at(Op::kFree, 3000, 0x40));
    builder.add(1, at(Op::kMalloc, 3000, 0x50));
    const std::vector<Event> events = merged(builder);
    REQUIRE(events.size() == 3);
    CHECK(events[0].op == Op::kMalloc);
    CHECK(events[1].op == Op::kFree);
    CHECK(events[2].op == Op::kMalloc);
}

TEST_CASE("equal events of different logs come in the order of the logs") {
    TraceBuilder builder;
    for (const uint32_t log : {5, 2, 9}) builder.add(log, at(Op::kMalloc, 3000, log));
    std::vector<uint64_t> order;
    for (const Event& event : merged(builder)) order.push_back(event.address);
    CHECK(order == std::vector<uint64_t>{2, 5, 9});
}

TEST_CASE("many logs with many chunks merge into one ascending stream") {
    std::mt19937 random(7);
    TraceBuilder builder;
    size_t written = 0;
    for (uint32_t log = 1; log <= 23; ++log) {
        uint64_t ticks = 2000;
        for (int i = 0; i < 400; ++i) {
            if (random() % 50 == 0) builder.new_chunk(log);
            builder.add(log, at(Op::kMalloc, ticks += random() % 7, 0x1000 + i));
            ++written;
        }
    }
    const std::vector<Event> events = merged(builder);
    REQUIRE(events.size() == written);
    std::vector<uint64_t> next(24, 0x1000);
    for (size_t i = 0; i < events.size(); ++i) {
        if (i != 0) REQUIRE(events[i - 1].ticks <= events[i].ticks);
        REQUIRE(events[i].address == next[events[i].log]++);
    }
}

TEST_CASE("reading ahead gives the same events in the same order") {
    std::mt19937 random(11);
    TraceBuilder builder;
    for (uint32_t log = 1; log <= 5; ++log) {
        uint64_t ticks = 2000;
        for (uint64_t i = 0; i < 5'000; ++i) {
            builder.add(log, at(random() % 2 ? Op::kMalloc : Op::kFree, ticks += random() % 3, i));
        }
    }
    std::vector<Event> read[2];
    for (const bool ahead : {false, true}) {
        const auto trace = builder.open();
        BatchReader reader(*trace, ahead);
        for (auto batch = reader.next(); !batch.empty(); batch = reader.next()) {
            read[ahead].insert(read[ahead].end(), batch.begin(), batch.end());
        }
        CHECK(reader.next().empty());
    }
    REQUIRE(read[0].size() == 25'000);
    REQUIRE(read[1].size() == 25'000);
    for (size_t i = 0; i < read[0].size(); ++i) {
        REQUIRE(read[0][i].ticks == read[1][i].ticks);
        REQUIRE(read[0][i].address == read[1][i].address);
        REQUIRE(read[0][i].log == read[1][i].log);
        REQUIRE(read[0][i].op == read[1][i].op);
    }
}

TEST_CASE("a reader that is left before its end stops") {
    TraceBuilder builder;
    for (uint64_t i = 0; i < 50'000; ++i) builder.add(1, at(Op::kMalloc, 2000 + i, i));
    const auto trace = builder.open();
    BatchReader reader(*trace, true);
    CHECK(!reader.next().empty());
}

TEST_CASE("a log of more bytes than the window is read whole") {
    TraceBuilder builder;
    for (uint64_t i = 0; i < 100'000; ++i) {
        builder.add(1, at(Op::kMalloc, 2000 + i * 1000, 0x5000'0000'0000 + i * 0x123457));
    }
    const std::vector<Event> events = merged(builder);
    REQUIRE(events.size() == 100'000);
    CHECK(events.back().address == 0x5000'0000'0000 + 99'999ull * 0x123457);
}

TEST_CASE("a thread record changes whose events follow") {
    TraceBuilder builder;
    builder.log = 1;
    Record first = at(Op::kMalloc, 2000, 1), second = at(Op::kMalloc, 2001, 2);
    second.event.thread = 8;
    builder.add(1, first).add(1, second);
    const std::vector<Event> events = merged(builder);
    REQUIRE(events.size() == 2);
    CHECK(events[0].thread == 1);
    CHECK(events[1].thread == 8);
}
