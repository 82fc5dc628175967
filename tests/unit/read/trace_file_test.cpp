#include "read/trace_file.h"

#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "pack/open_trace.h"
#include "read/exit_state.h"
#include "support/catch.h"
#include "support/count_events.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::trace;
using lastref::testing::count_events;
using lastref::testing::TraceBuilder;

namespace {

Error error_of(std::vector<uint8_t> bytes) {
    const auto opened = open_trace(std::move(bytes), "x.trace");
    REQUIRE_FALSE(static_cast<bool>(opened));
    return opened.error();
}

std::vector<uint8_t> some_trace() {
    TraceBuilder builder;
    const uint32_t stack = builder.stack({0x10, 0x20, 0x30});
    builder.load(0, 0x1000, 0x1000, "/lib/a.so", "\xab\xcd").thread_info(1, 4711, "main");
    for (uint64_t i = 0; i < 2000; ++i) {
        if (i % 300 == 0) builder.new_chunk(1);
        builder.malloc(0x10000 + i * 64, 40, stack);
        if (i % 2 != 0) builder.free(0x10000 + i * 64, stack);
        builder.create(0x10010 + i * 64, 8, "Buffer", stack).release(0x10010 + i * 64, stack);
    }
    return builder.bytes();
}

void put32(std::vector<uint8_t>& bytes, size_t offset, uint32_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

}  // namespace

TEST_CASE("an empty file is named as empty") {
    const Error error = error_of({});
    CHECK(error.offset == 0);
    CHECK(error.message().find("x.trace") == 0);
    CHECK(error.message().find("empty") != std::string::npos);
}

TEST_CASE("a foreign file is no trace") {
    const std::string text = "#!/bin/sh\necho no trace at all\n";
    CHECK(error_of({text.begin(), text.end()}).reason == "not a lastref trace");
    CHECK(error_of({'L', 'A', 'S'}).reason == "not a lastref trace");
}

TEST_CASE("another version is refused with both numbers") {
    for (const uint32_t version : {kTraceVersion + 6, kTraceVersion - 1}) {
        std::vector<uint8_t> bytes = some_trace();
        put32(bytes, offsetof(TraceHeader, version), version);
        const Error error = error_of(bytes);
        CHECK(error.offset == offsetof(TraceHeader, version));
        CHECK(error.reason.find(std::to_string(version)) != std::string::npos);
        CHECK(error.reason.find(std::to_string(kTraceVersion)) != std::string::npos);
        CHECK(error.advice.find(version > kTraceVersion ? "newer" : "older") != std::string::npos);
    }
}

TEST_CASE("the other byte order is refused") {
    std::vector<uint8_t> bytes = some_trace();
    put32(bytes, offsetof(TraceHeader, byte_order), 0x04030201);
    CHECK(error_of(bytes).reason.find("byte order") != std::string::npos);
}

TEST_CASE("a header that is cut off is refused with the offset of the cut") {
    std::vector<uint8_t> bytes = some_trace();
    for (const size_t length : {size_t{20}, size_t{700}, size_t{4095}}) {
        std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
        const Error error = error_of(cut);
        CHECK(error.offset == length);
        CHECK(error.reason.find("cut off") != std::string::npos);
    }
}

TEST_CASE("a missing file and a directory are distinguished from traces") {
    CHECK(open_trace("/no/such/file").error().reason.find("No such file") != std::string::npos);
    CHECK(open_trace("/").error().reason.find("regular file") != std::string::npos);
}

TEST_CASE("header, modules and threads are read") {
    TraceBuilder builder;
    builder.load(0, 0x1000, 0x3000, "/lib/a.so", "\xab\xcd")
        .load(1, 0x8000, 0x1000, "/lib/b.so", "", 2)
        .unload(0, 3)
        .thread_info(0, 4711, "main")
        .thread_info(1, 4712, "worker");
    const auto trace = builder.open();
    CHECK(trace->executable() == "/bin/program");
    CHECK(trace->command() == std::vector<std::string>{"program", "-x"});
    REQUIRE(trace->modules().size() == 2);
    CHECK(trace->modules()[0].path == "/lib/a.so");
    CHECK(trace->modules()[0].build_id == "abcd");
    CHECK(trace->modules()[0].end_epoch == 3);
    CHECK(trace->modules()[1].first_epoch == 2);
    CHECK(trace->modules()[1].end_epoch == UINT32_MAX);
    REQUIRE(trace->threads().size() == 2);
    CHECK(trace->threads()[1].kernel_id == 4712);
    CHECK(trace->threads()[1].name == "worker");
    CHECK(exit_state(trace->header()).text == "status 0");
}

TEST_CASE("a trace cut at any length gives an error or the events before the cut") {
    const std::vector<uint8_t> whole = some_trace();
    const auto all = open_trace(whole, "whole");
    const uint64_t total = count_events(**all);
    CHECK((*all)->damage().empty());
    uint64_t last = 0;
    for (size_t length = kHeaderSize; length < whole.size(); length += 509) {
        auto cut = open_trace(
            std::vector<uint8_t>{whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)},
            "cut");
        REQUIRE(static_cast<bool>(cut));
        const uint64_t events = count_events(**cut);
        CHECK_FALSE((*cut)->damage().empty());
        CHECK(events >= last);
        CHECK(events <= total);
        last = events;
    }
}

TEST_CASE("flipped bits never do more than damage") {
    const std::vector<uint8_t> whole = some_trace();
    std::mt19937 random(11);
    for (int round = 0; round < 3000; ++round) {
        std::vector<uint8_t> bytes = whole;
        for (uint32_t flips = 1 + random() % 4; flips != 0; --flips) {
            bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1u << random() % 8);
        }
        auto opened = open_trace(bytes, "flipped");
        if (!opened) continue;
        CHECK(count_events(**opened) < whole.size());
    }
}

TEST_CASE("a damaged chunk header is skipped and the next chunk is read") {
    std::vector<uint8_t> bytes = some_trace();
    const auto whole = open_trace(bytes, "whole");
    const uint64_t total = count_events(**whole);
    // The last chunk's header: an impossible size.
    const Log& log = (*whole)->logs().back();
    REQUIRE(log.chunks.size() > 3);
    put32(bytes, log.chunks[2].offset - sizeof(ChunkHeader) + offsetof(ChunkHeader, size), 77);
    auto damaged = open_trace(bytes, "damaged");
    REQUIRE(static_cast<bool>(damaged));
    const uint64_t events = count_events(**damaged);
    CHECK(events < total);
    CHECK(events > total / 2);
    CHECK((*damaged)->damage().count() >= 1);
    CHECK((*damaged)->damage().missing_chunks() == 1);
    CHECK((*damaged)->damage().kept()[0].offset == log.chunks[2].offset - sizeof(ChunkHeader));
}

TEST_CASE("an impossible record costs the rest of its chunk only") {
    TraceBuilder builder;
    for (int chunk = 0; chunk < 3; ++chunk) {
        builder.new_chunk(1);
        for (int i = 0; i < 10; ++i) builder.malloc(0x1000 + i * 32, 8);
    }
    std::vector<uint8_t> bytes = builder.bytes();
    const auto whole = open_trace(bytes, "whole");
    bytes[(*whole)->logs()[0].chunks[1].offset] = 0;  // Op::kInvalid
    auto damaged = open_trace(bytes, "damaged");
    CHECK(count_events(**damaged) == 20);
    REQUIRE((*damaged)->damage().count() == 1);
    CHECK((*damaged)->damage().kept()[0].offset == (*whole)->logs()[0].chunks[1].offset);
}

TEST_CASE("a gap in a log's sequence is missing chunks") {
    TraceBuilder builder;
    builder.malloc(0x10, 1).skip_sequence(1).skip_sequence(1).new_chunk(1).malloc(0x20, 1);
    const auto trace = builder.open();
    CHECK(trace->damage().missing_chunks() == 2);
    CHECK(count_events(*trace) == 2);
}

TEST_CASE("a chunk that its process did not live to make is passed over") {
    TraceBuilder builder;
    builder.malloc(0x10, 1).new_chunk(1).malloc(0x20, 1).new_chunk(1).malloc(0x30, 1);
    std::vector<uint8_t> bytes = builder.bytes();
    const auto whole = open_trace(bytes, "whole");
    // The last chunk again, behind one unit of zeros.
    const Chunk last = (*whole)->logs()[0].chunks.back();
    const size_t begin = last.offset - sizeof(ChunkHeader);
    const std::vector<uint8_t> copy(bytes.begin() + static_cast<ptrdiff_t>(begin), bytes.end());
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(begin), bytes.end(), uint8_t{0});
    bytes.insert(bytes.end(), copy.begin(), copy.end());
    const uint64_t end = bytes.size();
    std::memcpy(bytes.data() + offsetof(TraceHeader, chunks_end), &end, sizeof(end));
    auto trace = open_trace(bytes, "gap");
    CHECK(count_events(**trace) == 3);
    CHECK((*trace)->damage().empty());
}

namespace {

std::vector<uint64_t> pcs_of(TraceFile& trace, uint32_t id, StackEnd end = kStackComplete) {
    std::vector<uint64_t> pcs;
    CHECK(trace.stacks().walk(id, [&](const StackNode& node) {
        pcs.push_back(node.pc);
        return true;
    }) == end);
    return pcs;
}

// A file of one stack chunk with the given definitions, and a malloc with stack `id`.
std::unique_ptr<TraceFile> with_definitions(std::vector<uint8_t> definitions, uint32_t id) {
    TraceBuilder builder;
    builder.stack({1});
    std::vector<uint8_t> bytes = builder.malloc(0x100, 1, id).bytes();
    const size_t header = kHeaderSize, payload = header + sizeof(ChunkHeader);
    std::copy(definitions.begin(), definitions.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(payload));
    put32(bytes, header + offsetof(ChunkHeader, committed),
          static_cast<uint32_t>(definitions.size()));
    auto trace = open_trace(bytes, "definitions");
    REQUIRE(static_cast<bool>(trace));
    return std::move(*trace);
}

}  // namespace

TEST_CASE("stacks are what their definitions share and add") {
    TraceBuilder builder;
    const uint32_t deep = builder.stack({0x40, 0x30 | kExactPc, 0x20, 0x10});
    const uint32_t other = builder.stack({0x50, 0x20, 0x10});
    const uint32_t shorter = builder.stack({0x20, 0x10}, 3);
    auto trace = builder.malloc(0x100, 1, deep).open();
    CHECK(pcs_of(*trace, deep) == std::vector<uint64_t>{0x40, 0x30 | kExactPc, 0x20, 0x10});
    CHECK(pcs_of(*trace, other) == std::vector<uint64_t>{0x50, 0x20, 0x10});
    CHECK(pcs_of(*trace, shorter) == std::vector<uint64_t>{0x20, 0x10});
    trace->stacks().walk(shorter, [](const StackNode& node) {
        CHECK(node.epoch == 3);
        return true;
    });
    CHECK(pcs_of(*trace, 4711, kStackLost).empty());
}

TEST_CASE("equal stacks under two ids are one") {
    // 16: {0x10}; 17: based on 16, adds 0x20; 18: from nothing, 0x10 and 0x20.
    auto trace = with_definitions({31, 0, 1, 64, 1, 0, 1, 64, 35, 0, 2, 63, 64}, 18);
    CHECK(trace->damage().empty());
    CHECK(pcs_of(*trace, 17) == std::vector<uint64_t>{0x20, 0x10});
    CHECK(pcs_of(*trace, 18) == std::vector<uint64_t>{0x20, 0x10});
    LogCursor log = trace->cursor(trace->logs().front());
    Event event;
    REQUIRE(log.decode({&event, 1}) == 1);
    CHECK(event.stack == 17);
}

TEST_CASE("a stack may be based on one that is defined behind it") {
    // 16: based on 17, adds 0x20; 17: {0x10}.
    auto trace = with_definitions({2, 0, 1, 128, 1, 33, 0, 1, 63}, 16);
    CHECK(trace->damage().empty());
    CHECK(pcs_of(*trace, 16) == std::vector<uint64_t>{0x20, 0x10});
}

TEST_CASE("stacks based on each other, or on nothing, begin lost") {
    // 16 is based on 17, 17 on 16, 18 on 4711.
    auto trace = with_definitions({2, 0, 1, 64, 1, 0, 1, 64, 0xaa, 0x49, 0, 1, 64}, 16);
    pcs_of(*trace, 16, kStackLost);
    pcs_of(*trace, 17, kStackLost);
    CHECK(pcs_of(*trace, 18, kStackLost) == std::vector<uint64_t>{0x30});
}

TEST_CASE("an impossible definition is damage and ends its chunk") {
    for (const std::vector<uint8_t>& definitions :
         {std::vector<uint8_t>{31, 0, 1, 64, 31, 0, 9, 64},       // more frames than bytes
          std::vector<uint8_t>{31, 0, 1, 64, 0, 0, 1, 64},        // based on itself
          std::vector<uint8_t>{31, 0, 1, 64, 31, 0, 1, 0x80}}) {  // cut off
        auto trace = with_definitions(definitions, 16);
        CHECK(trace->damage().count() == 1);
        CHECK(pcs_of(*trace, 16) == std::vector<uint64_t>{0x10});
        CHECK(pcs_of(*trace, 17, kStackLost).empty());
    }
}

TEST_CASE("ticks become nanoseconds through both readings of the clock") {
    TraceBuilder builder;
    builder.header.clock = Clock::kTsc;
    builder.header.start_ticks = 5'000'000'000;
    builder.header.start_monotonic_ns = 77;
    builder.header.last_ticks = 8'000'000'000;
    builder.header.last_monotonic_ns = 77 + 1'000'000'000;
    builder.header.ticks_per_second = 1;  // a bad estimate that must not be used
    const auto trace = builder.open();
    CHECK(trace->to_ns(5'000'000'000) == 0);
    CHECK(trace->to_ns(6'500'000'000) == 500'000'000);
    CHECK(trace->to_ns(0) == 0);
}

TEST_CASE("readings too close together give way to the writer's estimate") {
    TraceBuilder builder;
    builder.header.clock = Clock::kTsc;
    builder.header.start_ticks = 1000;
    builder.header.start_monotonic_ns = 0;
    builder.header.last_ticks = 1900;
    builder.header.last_monotonic_ns = 900;
    builder.header.ticks_per_second = 2'000'000'000;
    CHECK(builder.open()->to_ns(1000 + 2'000'000) == 1'000'000);
}

TEST_CASE("the way a process ended is given in words") {
    TraceHeader header{};
    header.exit_kind = ExitKind::kSignal;
    header.exit_value = 9;
    CHECK(exit_state(header).text == "signal 9");
    CHECK_FALSE(exit_state(header).orderly);
    header.exit_kind = ExitKind::kExec;
    CHECK(exit_state(header).text == "exec");
    header.exit_kind = ExitKind::kNone;
    header.pid = 1;
    header.process_start = 1;  // not this boot's init
    CHECK(exit_state(header).text == "unknown");
}
