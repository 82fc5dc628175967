#include "analyze/missing_frees.h"

#include <random>
#include <vector>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

// Work on blocks of one place, Block::make, to which several ways lead: a stack for each.
struct Blocks {
    static constexpr uint64_t kWays = 4;

    TraceBuilder builder;
    FakeFrames frames;
    uint64_t next = 0x10000;

    Blocks() {
        frames.name(0x1, "Block::make");
        frames.name(0x2, "Work::begin");
        frames.name(0x3, "Work::end");
        frames.name(0x4, "Work::refuse");
    }
    uint64_t make(uint64_t way) {
        builder.malloc(next, 32, builder.stack({0x1, 0x2, 0x8, 0x100 + way % kWays}));
        next += 64;
        return next - 64;
    }
    void free(uint64_t block, uint64_t pc = 0x3) { builder.free(block, builder.stack({pc, 0x9})); }
    std::vector<Finding> leaks() {
        return findings_of(report_of(builder, frames), Kind::kHeapLeak);
    }
    void require_unknown(const char* reason) {
        const std::vector<Finding> found = leaks();
        REQUIRE_FALSE(found.empty());
        bool given = false;
        for (const Finding& leak : found) {
            CHECK_FALSE(leak.culprit);
            given |= leak.reason.find(reason) != std::string::npos;
        }
        CHECK(given);
    }
};

}  // namespace

TEST_CASE("blocks that are left evenly over all that was made miss the free of the others") {
    Blocks blocks;
    std::mt19937 random(5);
    for (uint64_t i = 0; i < 600; ++i) {
        const uint64_t block = blocks.make(random());
        if (random() % 20 != 0) blocks.free(block);
    }
    const std::vector<Finding> leaks = blocks.leaks();
    CHECK(leaks.size() == Blocks::kWays);
    for (const Finding& leak : leaks) {
        REQUIRE(leak.culprit);
        CHECK(leak.culprit->cause == Cause::kMissingRelease);
        CHECK(leak.culprit->frame.function == "Work::end");
    }
}

TEST_CASE("names that are kept when they are new are kept on purpose, few by each way") {
    Blocks blocks;
    for (uint64_t i = 0; i < 160; ++i) {
        const uint64_t name = blocks.make(i);
        const uint64_t of_way = i / Blocks::kWays;
        const bool is_new = of_way == 0 || of_way == 4 || of_way == 8;
        if (!is_new) blocks.free(name);
    }
    blocks.require_unknown("by whichever way, the first are left");
}

TEST_CASE("words that are new ever more seldom, and never stop to be, are kept on purpose") {
    Blocks blocks;
    std::mt19937 random(5);
    std::vector<bool> known(400);
    for (uint64_t i = 0; i < 600; ++i) {
        const uint64_t text = blocks.make(random());
        const uint64_t word = random() % (1 + random() % known.size());
        if (known[word]) blocks.free(text);
        known[word] = true;
    }
    blocks.require_unknown("kept on purpose");
}

TEST_CASE("a table from which entries of any age are removed may be in use") {
    Blocks blocks;
    std::mt19937 random(5);
    std::vector<uint64_t> table;
    for (uint64_t i = 0; i < 600; ++i) {
        table.push_back(blocks.make(random()));
        if (i % 2 != 0) continue;
        const size_t at = random() % table.size();
        blocks.free(table[at]);
        table.erase(table.begin() + static_cast<std::ptrdiff_t>(at));
    }
    // Its thread has ended long ago, so that these are older than any that were removed got.
    blocks.builder.now += 5000;
    blocks.free(blocks.make(1), 0x3);
    blocks.require_unknown("may be in use");
}

TEST_CASE("that few were all freed in one place is no rule where others are freed elsewhere") {
    Blocks blocks;
    // Of one way's blocks eight were freed, by chance all in one place; of the others' one in four
    // is freed in another.
    for (uint64_t i = 0; i < 400; ++i) {
        const uint64_t way = i % 40 == 0 ? 0 : 1 + i % 3;
        const uint64_t block = blocks.make(way);
        if (i % 40 == 20 || (way == 0 && i % 200 == 120)) continue;
        blocks.free(block, way != 0 && i % 4 == 1 ? 0x4 : 0x3);
    }
    blocks.require_unknown("freed in several places");
}

// A cache's entries and work that keeps nothing. Of a thousand caches hardly one has an entry that
// so many came after: the window is the one for buffers.
TEST_CASE("blocks that nine times as many came after may be a cache's entries") {
    Blocks blocks;
    const auto work = [&](int times) {
        for (int i = 0; i < times; ++i) blocks.free(blocks.make(0));
    };
    work(400);
    for (int i = 0; i < 4; ++i) blocks.make(0);
    work(31);
    blocks.require_unknown("the newest of those that were made here");
}
