#include "read/record_decoder.h"

#include <cstring>
#include <random>
#include <vector>

#include "read/event_merger.h"
#include "support/catch.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::trace;
using lastref::testing::Record;
using lastref::testing::TraceBuilder;

namespace {

std::vector<Event> events_of(TraceFile& trace) {
    std::vector<Event> events;
    EventMerger merger(trace);
    while (const Event* event = merger.next()) events.push_back(*event);
    return events;
}

std::vector<uint8_t> padded(std::vector<uint8_t> bytes) {
    bytes.resize(bytes.size() + kDecodePadding);
    return bytes;
}

}  // namespace

TEST_CASE("varints of every length decode to what was coded") {
    for (unsigned bit = 0; bit < 64; ++bit) {
        for (const uint64_t value :
             {uint64_t{1} << bit, (uint64_t{1} << bit) - 1, (uint64_t{1} << bit) * 3 + 5}) {
            std::vector<uint8_t> coded;
            for (uint64_t rest = value;;) {
                coded.push_back(static_cast<uint8_t>(rest & 0x7f));
                rest >>= 7;
                if (rest == 0) break;
                coded.back() |= 0x80;
            }
            const size_t length = coded.size();
            coded.resize(length + 16, 0xff);  // what follows must not matter
            uint64_t decoded = 0;
            const uint8_t* const end = read_varint(coded.data(), decoded);
            REQUIRE(decoded == value);
            REQUIRE(end == coded.data() + length);
        }
    }
}

TEST_CASE("a varint of more than 64 bits is rejected") {
    uint64_t value = 0;
    std::vector<uint8_t> eleven(24, 0x80);
    CHECK(read_varint(eleven.data(), value) == nullptr);
    std::vector<uint8_t> too_big(9, 0xff);
    too_big.push_back(0x02);
    CHECK(read_varint(padded(too_big).data(), value) == nullptr);
    too_big.back() = 0x01;
    const std::vector<uint8_t> biggest = padded(too_big);
    CHECK(read_varint(biggest.data(), value) == biggest.data() + 10);
    CHECK(value == UINT64_MAX);
}

TEST_CASE("every op survives coding with all of its fields") {
    TraceBuilder builder;
    const uint32_t inner = builder.stack({0x10, 0x20});
    const uint32_t outer = builder.stack({0x30});
    std::vector<Record> written;
    uint64_t ticks = 2000;
    for (uint8_t op = 1; op < static_cast<uint8_t>(Op::kOpCount); ++op) {
        if (static_cast<Op>(op) == Op::kString || static_cast<Op>(op) == Op::kThread) continue;
        for (const uint32_t stack : {inner, inner, 0u, outer}) {
            const uint16_t has = kFields[op];
            Record record;
            Event& event = record.event;
            event.op = static_cast<Op>(op);
            event.thread = 7;
            event.ticks = ticks += 1 + op * 1000;
            if (has & fAddress) event.address = 0x7fff'0000'0000u - op * 0x1010u;
            if (has & fOther) event.other = 0x5555'0000'0001u + op;
            if (has & fSize) event.size = uint64_t{1} << (op + 20);
            if (has & fOtherSize) event.other_size = 64;
            if (has & fValue) event.value = -3 * op;
            if (has & fDetail) event.detail = op;
            if (has & fStack) event.stack = stack;
            if (has & (fString | fText)) record.string = "text " + std::to_string(op);
            if (has & fText2) record.text2 = std::string("\x00\xff id", 5);
            written.push_back(record);
            builder.add(3, record);
        }
    }
    const auto trace = builder.open();
    const std::vector<Event> read = events_of(*trace);
    REQUIRE(read.size() == written.size());
    for (size_t i = 0; i < read.size(); ++i) {
        const Event& is = read[i];
        const Event& should = written[i].event;
        INFO("record " << i << " op " << static_cast<int>(should.op));
        CHECK(is.op == should.op);
        CHECK(is.ticks == should.ticks);
        CHECK(is.address == should.address);
        CHECK(is.other == should.other);
        CHECK(is.size == should.size);
        CHECK(is.other_size == should.other_size);
        CHECK(is.value == should.value);
        CHECK(is.detail == should.detail);
        CHECK(is.stack == should.stack);
        CHECK(is.log == 3);
        CHECK(trace->strings()[is.string] == written[i].string);
        if (should.op != Op::kThreadInfo) CHECK(is.thread == should.thread);
    }
    CHECK(trace->damage().empty());
}

// Whatever the bytes are, both ways to decode agree on what a record says and where it ends.
TEST_CASE("common records decode as the general way decodes them") {
    std::mt19937 random(3);
    StringPool pool;
    RecordDecoder decoder(pool);
    TraceBuilder builder;
    for (uint64_t pc = 1; pc <= 4080; ++pc) builder.stack({pc});
    const auto trace = builder.open();
    size_t common = 0, cut = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::vector<uint8_t> record(48 + kDecodePadding);
        record[0] = static_cast<uint8_t>(random());
        for (size_t i = 1; i < 48; ++i) {
            // Mostly short numbers.
            record[i] = static_cast<uint8_t>(random() & (random() % 3 == 0 ? 0xff : 0x7f));
        }
        const uint8_t* const limit = record.data() + 1 + random() % 24;
        Deltas deltas;
        deltas.ticks = random() % 4 == 0 ? UINT64_MAX - random() % 5 : random();
        deltas.address = random();
        deltas.stack = random() % 1000;
        DecodeState state;
        static_cast<Deltas&>(state) = deltas;
        state.stack_ids = &trace->stacks().ids();
        const Deltas before = deltas;
        Event fast, slow;
        const uint8_t* const next = decode_common(record.data(), limit, deltas, fast);
        if (next == nullptr) {
            REQUIRE(deltas.ticks == before.ticks);
            REQUIRE(deltas.address == before.address);
            REQUIRE(deltas.stack == before.stack);
            ++cut;
            continue;
        }
        ++common;
        REQUIRE(next <= limit);
        REQUIRE(decoder.decode(record.data(), limit, state, slow) == next);
        REQUIRE(fast.op == slow.op);
        REQUIRE(fast.ticks == slow.ticks);
        REQUIRE(fast.address == slow.address);
        REQUIRE(fast.size == slow.size);
        REQUIRE(state.known_stack(fast.stack) == slow.stack);
        REQUIRE(deltas.ticks == state.ticks);
        REQUIRE(deltas.address == state.address);
        REQUIRE(deltas.stack == state.stack);
    }
    CHECK(common > 10'000);
    CHECK(cut > 10'000);
}

TEST_CASE("a string index that was not defined is rejected") {
    StringPool pool;
    RecordDecoder decoder(pool);
    DecodeState state;
    Event event;
    const std::vector<uint8_t> record = padded({static_cast<uint8_t>(Op::kMark) | kNoStack, 0, 0});
    CHECK(decoder.decode(record.data(), record.data() + 3, state, event) == nullptr);
    state.strings.push_back(pool.intern("phase"));
    CHECK(decoder.decode(record.data(), record.data() + 3, state, event) == record.data() + 3);
    CHECK(pool[event.string] == "phase");
}

TEST_CASE("a text longer than the bytes that are left is rejected") {
    StringPool pool;
    RecordDecoder decoder(pool);
    DecodeState state;
    Event event;
    const std::vector<uint8_t> record =
        padded({static_cast<uint8_t>(Op::kString), 100, 'a', 'b', 'c'});
    CHECK(decoder.decode(record.data(), record.data() + 5, state, event) == nullptr);
}

TEST_CASE("ops that do not exist are rejected") {
    StringPool pool;
    RecordDecoder decoder(pool);
    DecodeState state;
    Event event;
    for (const uint8_t op : {0, 30, 31}) {
        const std::vector<uint8_t> record = padded({op});
        CHECK(decoder.decode(record.data(), record.data() + 1, state, event) == nullptr);
    }
}

TEST_CASE("a stack that the trace does not hold shows as none and is counted") {
    TraceBuilder builder;
    const uint32_t known = builder.stack({0x10});
    builder.malloc(0x100, 1, known).malloc(0x200, 1, known + 1000).malloc(0x300, 1, known);
    const auto trace = builder.open();
    EventMerger merger(*trace);
    std::vector<uint32_t> stacks;
    while (const Event* event = merger.next()) stacks.push_back(event->stack);
    CHECK(stacks == std::vector<uint32_t>{known, 0, known});
    CHECK(merger.stacks_missing() == 1);
}
