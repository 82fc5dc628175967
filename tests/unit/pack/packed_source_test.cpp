#include "pack/packed_source.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "pack/open_trace.h"
#include "pack/pack_writer.h"
#include "pack/segment.h"
#include "read/varint.h"
#include "support/catch.h"
#include "support/count_events.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::packed;
using namespace lastref::trace;
using lastref::testing::count_events;
using lastref::testing::TraceBuilder;

namespace {

std::vector<uint8_t> plain_trace() {
    TraceBuilder builder;
    const uint32_t stack = builder.stack({0x10, 0x20, 0x30});
    builder.load(0, 0x1000, 0x1000, "/lib/a.so", "\xab\xcd").thread_info(1, 4711, "main");
    for (uint64_t i = 0; i < 500; ++i) {
        if (i % 100 == 0) builder.new_chunk(1);
        builder.malloc(0x10000 + i * 64, 40, stack).free(0x10000 + i * 64, stack);
    }
    return builder.bytes();
}

std::vector<uint8_t> packed_trace() {
    const int memory = memfd_create("packed", MFD_CLOEXEC);
    REQUIRE(memory >= 0);
    const auto size = pack_trace(*ByteSource::from_bytes(plain_trace()), "plain", memory, "packed",
                                 [](double) {});
    REQUIRE(static_cast<bool>(size));
    std::vector<uint8_t> bytes(*size);
    REQUIRE(pread(memory, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    close(memory);
    return bytes;
}

template <typename T>
void put(std::vector<uint8_t>& bytes, size_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

void mend_header(std::vector<uint8_t>& bytes) {
    put(bytes, offsetof(PackedHeader, check),
        checksum(bytes.data(), offsetof(PackedHeader, check)));
}

struct Place {
    size_t header = 0, body = 0, end = 0;
};

std::vector<Place> segments_of(const std::vector<uint8_t>& bytes) {
    std::vector<Place> places;
    for (size_t at = sizeof(PackedHeader); at < bytes.size(); at = places.back().end) {
        SegmentHeader header;
        std::memcpy(&header, &bytes[at], sizeof(header));
        REQUIRE(header.magic == kSegmentMagic);
        const size_t body = at + sizeof(header) + header.entries * sizeof(SegmentEntry);
        places.push_back({at, body, body + header.body_size});
    }
    return places;
}

Error error_of(std::vector<uint8_t> bytes) {
    const auto opened = open_trace(std::move(bytes), "x.packed");
    REQUIRE_FALSE(static_cast<bool>(opened));
    CHECK(opened.error().file == "x.packed");
    CHECK(opened.error().message().starts_with("x.packed: offset "));
    return opened.error();
}

// The readable rest of a damaged trace; checks that the damage at `offset` is reported.
uint64_t events_left(const std::vector<uint8_t>& bytes, uint64_t offset,
                     const std::string& reason) {
    auto opened = open_trace(bytes, "x.packed");
    REQUIRE(static_cast<bool>(opened));
    bool reported = false;
    for (const Damage& one : (*opened)->damage().kept()) {
        reported =
            reported || (one.offset == offset && one.reason.find(reason) != std::string::npos);
    }
    CHECK(reported);
    return count_events(**opened);
}

}  // namespace

TEST_CASE("a packed trace holds the events of the plain one") {
    auto opened = open_trace(packed_trace(), "x.packed");
    REQUIRE(static_cast<bool>(opened));
    CHECK((*opened)->is_packed());
    CHECK((*opened)->damage().empty());
    CHECK((*opened)->size() == plain_trace().size());
    CHECK((*opened)->file_size() == packed_trace().size());
    CHECK(count_events(**opened) == 1002);
}

TEST_CASE("a packed trace's header that can't be used is an error at its place") {
    const std::vector<uint8_t> whole = packed_trace();
    std::vector<uint8_t> bytes = whole;
    SECTION("cut off") {
        bytes.resize(sizeof(PackedHeader) - 1);
        const Error error = error_of(bytes);
        CHECK(error.offset == bytes.size());
        CHECK(error.reason == "the header is cut off");
    }
    SECTION("nothing but its magic") {
        bytes.resize(sizeof(kPackedMagic));
        CHECK(error_of(bytes).offset == bytes.size());
    }
    SECTION("of another version") {
        put(bytes, offsetof(PackedHeader, version), kPackedVersion + 1);
        mend_header(bytes);
        const Error error = error_of(bytes);
        CHECK(error.offset == offsetof(PackedHeader, version));
        CHECK(error.reason.find("packed trace version 2") == 0);
    }
    SECTION("of another trace version") {
        put(bytes, offsetof(PackedHeader, trace_version), trace::kTraceVersion + 1);
        mend_header(bytes);
        CHECK(error_of(bytes).offset == offsetof(PackedHeader, trace_version));
    }
    SECTION("of the other byte order") {
        put(bytes, offsetof(PackedHeader, byte_order), __builtin_bswap32(trace::kByteOrderMark));
        CHECK(error_of(bytes).offset == offsetof(PackedHeader, byte_order));
    }
    SECTION("any flipped bit behind the magic") {
        for (size_t bit = sizeof(kPackedMagic) * 8; bit < sizeof(PackedHeader) * 8; ++bit) {
            bytes = whole;
            bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
            const Error error = error_of(bytes);
            CHECK(error.offset < sizeof(PackedHeader));
            CHECK_FALSE(error.reason.empty());
            CHECK_FALSE(error.advice.empty());
        }
    }
}

TEST_CASE("a damaged segment is reported at its place, and the others are read") {
    const std::vector<uint8_t> whole = packed_trace();
    const std::vector<Place> segments = segments_of(whole);
    REQUIRE(segments.size() >= 3);  // the header page, records, stacks
    for (const Place& segment : segments) {
        std::vector<uint8_t> bytes = whole;
        bytes[segment.end - 1] ^= 0x10;
        const bool holds_header = &segment == &segments.front();
        INFO("segment at " << segment.header);
        if (holds_header) {
            // Without the plain trace's header there is no trace.
            CHECK_FALSE(error_of(bytes).reason.empty());
        } else {
            CHECK(events_left(bytes, segment.header, "a segment is damaged") <= 1002);
        }
    }
}

TEST_CASE("a segment's damaged header ends the reading there") {
    const std::vector<uint8_t> whole = packed_trace();
    const Place last = segments_of(whole).back();
    std::vector<uint8_t> bytes = whole;
    SECTION("its magic") {
        bytes[last.header] ^= 1;
        events_left(bytes, last.header, "not a segment of a packed trace");
    }
    SECTION("its fields") {
        bytes[last.header + offsetof(SegmentHeader, body_size)] ^= 1;
        events_left(bytes, last.header, "a segment's header is damaged");
    }
    SECTION("its entries") {
        bytes[last.header + sizeof(SegmentHeader)] ^= 1;
        events_left(bytes, last.header, "a segment's header is damaged");
    }
    events_left(bytes, last.header, "segments are missing");
}

TEST_CASE("a packed trace that is cut off is read up to there") {
    const std::vector<uint8_t> whole = packed_trace();
    const Place last = segments_of(whole).back();
    const auto cut = [&](size_t size) {
        return std::vector<uint8_t>(whole.begin(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(size));
    };
    events_left(cut(last.end - 1), last.header, "ends inside a segment");
    events_left(cut(last.header + sizeof(SegmentHeader)), last.header,
                "ends inside a segment's header");
    events_left(cut(last.header + 3), last.header, "the packed trace ends here");
    events_left(cut(last.header), last.header, "segments are missing");
}

namespace {

// A packed trace that has no more than these chunks, each with the first bytes of its payload.
struct SmallChunk {
    uint64_t offset;
    ChunkHeader header;
    std::vector<uint8_t> payload;
};

std::vector<uint8_t> packed_of(TraceHeader header, uint64_t trace_size,
                               const std::vector<SmallChunk>& chunks) {
    header.chunks_end = trace_size;
    std::vector<std::vector<uint8_t>> segments;
    SegmentContents first;
    first.entries.push_back({0, {}});
    first.entries[0].header.committed = kHeaderSize;
    first.bytes.resize(kHeaderSize);
    std::memcpy(first.bytes.data(), &header, sizeof(header));
    segments.push_back(pack_segment(first));
    SegmentContents nodes;
    nodes.kind = SegmentKind::kNodes;
    for (const SmallChunk& chunk : chunks) {
        nodes.entries.push_back({chunk.offset, chunk.header});
        nodes.entries.back().header.committed = static_cast<uint32_t>(chunk.payload.size());
        nodes.bytes.insert(nodes.bytes.end(), chunk.payload.begin(), chunk.payload.end());
    }
    segments.push_back(pack_segment(nodes));
    std::vector<uint8_t> bytes(sizeof(PackedHeader));
    PackedHeader packed{};
    std::memcpy(packed.magic, kPackedMagic, sizeof(kPackedMagic));
    packed.version = kPackedVersion;
    packed.byte_order = kByteOrderMark;
    packed.trace_version = kTraceVersion;
    packed.segments = static_cast<uint32_t>(segments.size());
    packed.trace_size = trace_size;
    for (const auto& segment : segments) bytes.insert(bytes.end(), segment.begin(), segment.end());
    packed.packed_size = bytes.size();
    packed.check = checksum(&packed, offsetof(PackedHeader, check));
    std::memcpy(bytes.data(), &packed, sizeof(packed));
    return bytes;
}

SmallChunk stack_chunk(uint64_t offset, uint64_t first_id, uint32_t size = kChunkUnit) {
    ChunkHeader header{};
    header.magic = kChunkMagic;
    header.kind = ChunkKind::kStacks;
    header.size = size;
    header.base_address = first_id;
    // From nothing, the pc 0x10.
    std::vector<uint8_t> payload;
    append_varint(payload, zigzag(0 - first_id));
    payload.insert(payload.end(), {0, 1, 64});
    return {offset, header, payload};
}

// Peak of what opening the trace took from the heap and the system.
uint64_t address_space() {
    std::ifstream statm("/proc/self/statm");
    uint64_t pages = 0;
    statm >> pages;
    return pages * 4096;
}

}  // namespace

TEST_CASE("room for stacks follows from what a trace holds, not from the ids it names") {
    std::vector<SmallChunk> chunks;
    for (uint64_t i = 0; i < 8; ++i) {
        chunks.push_back(stack_chunk(uint64_t{kHeaderSize} + (i << 28), 16 + (i << 28) - i));
    }
    const auto bytes = packed_of(TraceBuilder().header, uint64_t{1} << 32, chunks);
    CHECK(bytes.size() < 8192);
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_AS, &limit) == 0);
    rlimit tight = limit;
    tight.rlim_cur = address_space() + (256u << 20);
    REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
    auto opened = open_trace(bytes, "x.packed");
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    REQUIRE(static_cast<bool>(opened));
    CHECK((*opened)->damage().empty());
    // Each is the stack of the first.
    for (const SmallChunk& chunk : chunks) {
        CHECK((*opened)->stacks().ids().of(chunk.header.base_address) == kFirstStack);
    }
    CHECK((*opened)->stacks().ids().of(uint64_t{1} << 27) == 0);
}

TEST_CASE("space that holds nothing takes no time, however much a trace names") {
    const auto bytes =
        packed_of(TraceBuilder().header, uint64_t{1} << 60, {stack_chunk(uint64_t{1} << 59, 16)});
    auto opened = open_trace(bytes, "x.packed");
    REQUIRE(static_cast<bool>(opened));
    CHECK((*opened)->damage().empty());
    CHECK((*opened)->stacks().nodes().size() == 1);
}

TEST_CASE("names of a packed trace that it does not hold are damage") {
    TraceHeader header = TraceBuilder().header;
    header.names_offset = uint64_t{1} << 50;
    header.names_size = uint64_t{1} << 59;
    auto opened = open_trace(packed_of(header, uint64_t{1} << 60, {stack_chunk(kHeaderSize, 16)}),
                             "x.packed");
    REQUIRE(static_cast<bool>(opened));
    CHECK_FALSE((*opened)->damage().empty());
}
