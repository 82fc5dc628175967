#include "analyze/mappings.h"

#include <vector>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

constexpr uint64_t kPage = 4096;

Event event_at(uint64_t address, uint64_t size) {
    Event event;
    event.address = address;
    event.size = size;
    event.log = 1;
    return event;
}

std::vector<std::pair<uint64_t, uint64_t>> live(const Mappings& mappings) {
    std::vector<std::pair<uint64_t, uint64_t>> list;
    mappings.for_each_live(
        [&](const Mapping& mapping) { list.emplace_back(mapping.begin, mapping.end); });
    return list;
}

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

}  // namespace

TEST_CASE("unmapping the middle of a mapping leaves two pieces") {
    Mappings mappings;
    mappings.map(event_at(0x10000, 4 * kPage));
    mappings.unmap(event_at(0x11000, kPage));
    CHECK(live(mappings) == Ranges{{0x10000, 0x11000}, {0x12000, 0x14000}});
    CHECK(mappings.totals().live_bytes == 3 * kPage);
    mappings.unmap(event_at(0x10000, 16 * kPage));
    CHECK(live(mappings).empty());
    CHECK(mappings.totals().live_bytes == 0);
    CHECK(mappings.totals().peak_bytes == 4 * kPage);
}

TEST_CASE("sizes count in whole pages") {
    Mappings mappings;
    mappings.map(event_at(0x10000, 1));
    CHECK(live(mappings) == Ranges{{0x10000, 0x11000}});
    mappings.unmap(event_at(0x10000, 5));
    CHECK(live(mappings).empty());
}

TEST_CASE("a mapping over another replaces what it covers") {
    Mappings mappings;
    mappings.map(event_at(0x10000, 4 * kPage));
    mappings.map(event_at(0x12000, 8 * kPage));
    CHECK(live(mappings) == Ranges{{0x10000, 0x12000}, {0x12000, 0x1a000}});
    CHECK(mappings.totals().live_bytes == 10 * kPage);
}

TEST_CASE("an munmap that failed changes nothing") {
    Mappings mappings;
    mappings.map(event_at(0x10000, 4 * kPage));
    mappings.unmap(event_at(0x11000, kPage));
    mappings.unmap_failed(1);
    CHECK(mappings.totals().live_bytes == 4 * kPage);
    CHECK(mappings.totals().unmapped == 0);
    mappings.unmap_failed(1);  // once only
    CHECK(mappings.totals().live_bytes == 4 * kPage);
}

TEST_CASE("addresses at the end of the address space do no harm") {
    Mappings mappings;
    mappings.map(event_at(UINT64_MAX - 1, 16));
    mappings.map(event_at(UINT64_MAX - 5 * kPage, UINT64_MAX));
    mappings.unmap(event_at(0, UINT64_MAX));
    CHECK(mappings.totals().live_bytes == 0);
}

TEST_CASE("mremap keeps who made the mapping") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), grew = builder.stack({0x2});
    builder.mmap(0x10000, kPage, made).mremap_begin(0x10000, kPage);
    builder.mremap_end(0x10000, kPage, 0x40000, 4 * kPage, grew);
    const auto leaks = findings_of(report_of(builder), Kind::kMappingLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].bytes == 4 * kPage);
    CHECK(leaks[0].count == 1);
    CHECK(leaks[0].created[0].function == "f1");
    CHECK(leaks[0].example.buffer == 0x40000);
}

TEST_CASE("an mremap that failed leaves the mapping where it was") {
    TraceBuilder builder;
    builder.mmap(0x10000, kPage, builder.stack({0x1})).mremap_begin(0x10000, kPage);
    builder.mremap_end(0x10000, kPage, 0, 4 * kPage);
    const Report report = report_of(builder);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].bytes == kPage);
    CHECK(report.summary.mappings.frees == 0);
}

TEST_CASE("pieces of one mapping count as one leak") {
    TraceBuilder builder;
    builder.mmap(0x10000, 5 * kPage, builder.stack({0x1})).munmap(0x12000, kPage);
    const auto leaks = findings_of(report_of(builder), Kind::kMappingLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].count == 1);
    CHECK(leaks[0].bytes == 4 * kPage);
}

TEST_CASE("an allocator's own mappings are not leaks") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "os_pages_map", "/usr/bin/redis-server");
    frames.name(0x2, "map_it", "/usr/lib/libjemalloc.so.2");
    frames.name(0x3, "work", "/bin/program");
    builder.mmap(0x10000, kPage, builder.stack({0x1, 0x3}));
    builder.mmap(0x20000, kPage, builder.stack({0x2, 0x3}));
    CHECK(report_of(builder, frames).findings.empty());
}
