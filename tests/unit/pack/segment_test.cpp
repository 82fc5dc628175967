#include "pack/segment.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "pack/record_coding.h"
#include "support/catch.h"

using namespace lastref;
using namespace lastref::packed;
using trace::Op;

namespace {

SegmentContents contents_of(SegmentKind kind, const std::vector<std::vector<uint8_t>>& payloads) {
    SegmentContents contents;
    contents.kind = kind;
    uint64_t offset = trace::kHeaderSize;
    for (size_t i = 0; i < payloads.size(); ++i) {
        SegmentEntry entry{};
        entry.offset = offset;
        entry.header.log = static_cast<uint32_t>(1 + i % 2);
        entry.header.base_address = i * 0x1000;
        entry.header.committed = static_cast<uint32_t>(payloads[i].size());
        contents.bytes.insert(contents.bytes.end(), payloads[i].begin(), payloads[i].end());
        contents.entries.push_back(entry);
        offset = piece_end(kind, entry);
    }
    contents.bytes.resize(contents.bytes.size() + kDecodePadding);
    return contents;
}

struct Packed {
    SegmentHeader header;
    std::vector<SegmentEntry> entries;
    std::vector<uint8_t> body;
};

Packed pack(const SegmentContents& contents) {
    const std::vector<uint8_t> segment = pack_segment(contents);
    Packed found;
    std::memcpy(&found.header, segment.data(), sizeof(found.header));
    found.entries.resize(found.header.entries);
    const size_t entries_size = found.entries.size() * sizeof(SegmentEntry);
    std::memcpy(found.entries.data(), &segment[sizeof(found.header)], entries_size);
    const size_t body = sizeof(found.header) + entries_size;
    found.body.assign(segment.begin() + static_cast<std::ptrdiff_t>(body), segment.end());
    CHECK(found.header.magic == kSegmentMagic);
    CHECK(found.header.kind == contents.kind);
    CHECK(found.header.body_size == found.body.size());
    CHECK(found.header.body_check == checksum(found.body.data(), found.body.size()));
    CHECK(found.header.head_check == head_check(found.header, found.entries));
    return found;
}

void check_same(const SegmentContents& contents) {
    const Packed segment = pack(contents);
    CHECK(entries_fit(segment.header, segment.entries, uint64_t{1} << 40));
    const auto bytes = unpack_segment(segment.header, segment.entries, segment.body);
    REQUIRE(bytes != nullptr);
    CHECK(std::equal(contents.bytes.begin(), contents.bytes.end() - kDecodePadding, bytes.get()));
}

// Each op with all its fields at one edge, twice, so that the second is what the first predicts.
std::vector<uint8_t> every_op(uint64_t edge, uint64_t stack) {
    std::vector<uint8_t> payload;
    ChunkState state{0, 0};
    for (uint8_t op = 1; op < static_cast<uint8_t>(Op::kOpCount); ++op) {
        if (trace::kFields[op] == 0) continue;
        RecordFields record;
        record.op = op;
        record.time = record.address = record.other = edge;
        record.size = record.other_size = record.value = record.detail = record.string = edge;
        record.stack = stack;
        record.text = "a text";
        record.text2 = "";
        for (int times = 0; times < 2; ++times) {
            uint8_t room[trace::kMaxRecordSize];
            uint8_t* const end = write_record(room, record, state);
            payload.insert(payload.end(), room, end);
        }
    }
    return payload;
}

}  // namespace

TEST_CASE("records of every op come back with their fields at every edge") {
    const uint64_t edges[] = {0,
                              1,
                              15,
                              16,
                              0x7f,
                              0x80,
                              0xffff,
                              UINT32_MAX,
                              uint64_t{1} << 32,
                              INT64_MAX,
                              uint64_t{1} << 63,
                              UINT64_MAX};
    for (const uint64_t edge : edges) {
        for (const uint64_t stack : {uint64_t{0}, uint64_t{1}, uint64_t{UINT32_MAX}}) {
            INFO("edge " << edge << ", stack " << stack);
            const std::vector<uint8_t> payload = every_op(edge, stack);
            check_same(contents_of(SegmentKind::kRecords, {payload}));
            check_same(contents_of(SegmentKind::kRecords, {payload, {}, payload, payload}));
        }
    }
}

TEST_CASE("blocks that begin and end in any order come back") {
    std::mt19937_64 random(7);
    std::vector<std::vector<uint8_t>> payloads(6);
    std::vector<uint64_t> live;
    ChunkState state;
    for (std::vector<uint8_t>& payload : payloads) {
        state = {static_cast<uint64_t>(&payload - payloads.data()) * 0x1000, 0};
        for (int i = 0; i < 3000; ++i) {
            RecordFields record;
            record.time = random() % 5000;
            record.stack = 16 + random() % 9;
            const bool ends = !live.empty() && random() % 2 != 0;
            record.op = static_cast<uint8_t>(ends ? Op::kFree : Op::kMalloc);
            if (ends) {
                std::swap(live[random() % live.size()], live.back());
                record.address = live.back();
                live.pop_back();
                if (random() % 50 == 0) record.address += 8;  // of no block
            } else {
                record.address = 0x7000'0000 + random() % 100'000 * 16;
                record.size = random() % 300;
                live.push_back(record.address);
            }
            uint8_t room[trace::kMaxRecordSize];
            payload.insert(payload.end(), room, write_record(room, record, state));
        }
    }
    check_same(contents_of(SegmentKind::kRecords, payloads));
}

TEST_CASE("bytes that are no record in the shim's coding come back") {
    std::vector<uint8_t> payload = every_op(0x1230, 17);
    SECTION("behind records") {
        payload.insert(payload.end(), {0xff, 0x00, 0x13});
    }
    SECTION("an op that there is not") {
        payload.insert(payload.begin(), 0x1f);
    }
    SECTION("a record that is cut off") {
        payload.pop_back();
    }
    SECTION("a number that is longer than it needs to be") {
        payload = {static_cast<uint8_t>(Op::kFree) | trace::kNoStack, 0x80, 0x00, 0x02};
    }
    SECTION("zeros") {
        payload.assign(1000, 0);
    }
    check_same(contents_of(SegmentKind::kRecords, {payload, payload}));
}

TEST_CASE("pieces that are no records come back as they are") {
    for (const SegmentKind kind : {SegmentKind::kNodes, SegmentKind::kRaw}) {
        check_same(contents_of(kind, {{1, 2, 3}, {}, std::vector<uint8_t>(70'000, 5)}));
    }
}

TEST_CASE("a body of another size than its entries name is damaged") {
    const SegmentContents contents =
        contents_of(SegmentKind::kRecords, {every_op(99, 20), every_op(7, 21)});
    const Packed segment = pack(contents);
    for (const int by : {-1, 1, 4096}) {
        std::vector<SegmentEntry> entries = segment.entries;
        entries.back().header.committed += static_cast<uint32_t>(by);
        CHECK(unpack_segment(segment.header, entries, segment.body) == nullptr);
    }
    SegmentHeader header = segment.header;
    header.kind = SegmentKind::kRaw;
    CHECK(unpack_segment(header, segment.entries, segment.body) == nullptr);
}

TEST_CASE("any flipped bit of a body is damage, or gives as many bytes") {
    const Packed segment =
        pack(contents_of(SegmentKind::kRecords, {every_op(99, 20), every_op(0x1000, 21)}));
    for (size_t bit = 0; bit < segment.body.size() * 8; ++bit) {
        std::vector<uint8_t> flipped = segment.body;
        flipped[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        CHECK(checksum(flipped.data(), flipped.size()) != segment.header.body_check);
        unpack_segment(segment.header, segment.entries, flipped);
    }
}

TEST_CASE("entries that overlap, leave the trace or are too many do not fit") {
    const SegmentContents contents = contents_of(SegmentKind::kRecords, {{1, 2}, {3, 4}});
    SegmentHeader header{};
    header.kind = SegmentKind::kRecords;
    std::vector<SegmentEntry> entries = contents.entries;
    const uint64_t end = piece_end(header.kind, entries.back());
    CHECK(entries_fit(header, entries, end));
    CHECK_FALSE(entries_fit(header, entries, end - 1));
    SECTION("overlap") {
        entries[1].offset = entries[0].offset + 1;
    }
    SECTION("out of order") {
        std::swap(entries[0], entries[1]);
    }
    SECTION("beyond any trace") {
        entries[1].offset = UINT64_MAX - 1;
    }
    SECTION("too large") {
        entries[0].header.committed = kMaxSegmentSize + 1;
    }
    CHECK_FALSE(entries_fit(header, entries, end));
}
