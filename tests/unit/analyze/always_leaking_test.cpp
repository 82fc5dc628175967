// Where everything leaks: the holder before the maker, the owner with what was made with it.
#include <cstdint>
#include <vector>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

// The only leak of buffers that all went the same way: made by one thread, retained and released
// once by another.
Finding where_all_leak(FakeFrames& frames, uint32_t retaining, uint32_t releasing) {
    TraceBuilder builder;
    std::vector<uint64_t> worker;
    for (uint64_t frame = 0x80; frame < 0x8a; ++frame) worker.push_back(frame);
    const auto inside = [&](std::vector<uint64_t> inner) {
        inner.insert(inner.end(), worker.begin(), worker.end());
        return builder.stack(inner);
    };
    frames.name(0x1, "Parser::begin");
    frames.name(0x2, "Buf::retain");
    frames.name(0x3, "Buf::release");
    const uint32_t made = builder.stack({0x1, 0x70});
    const uint32_t retained =
        retaining == releasing ? inside({0x2, retaining}) : inside({0x2, retaining, 0x6});
    const uint32_t released = inside({0x3, releasing});
    for (uint64_t i = 0; i < 10; ++i) {
        const uint64_t buffer = 0x1000 + i * 64;
        builder.create(buffer, 32, "B", made).retain(buffer, retained).release(buffer, released);
    }
    const auto leaks = findings_of(report_of(builder, frames), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->ambiguous);
    return leaks[0];
}

}  // namespace

TEST_CASE(
    "where all leak and the release may be the maker's, the holder is named before the maker") {
    FakeFrames frames;
    frames.name(0x4, "Parser::parse");
    frames.name(0x5, "Parser::finish");
    frames.name(0x6, "Parser::finish");
    const Finding leak = where_all_leak(frames, 0x4, 0x5);
    CHECK(leak.culprit->frame.function == "Parser::parse");
    REQUIRE(leak.suspects.size() >= 2);
    CHECK(leak.suspects[1].frame.function == "Parser::begin");
}

TEST_CASE("where all leak and a function gives back what it took, the maker is named") {
    FakeFrames frames;
    frames.name(0x4, "Parser::parse");
    CHECK(where_all_leak(frames, 0x4, 0x4).culprit->frame.function == "Parser::begin");
}

namespace {

// Ten trees, each made with three leaves; somebody keeps a reference to each tree.
enum class Leaves { kLeft, kRetained, kUneven };
std::vector<Finding> leaks_of_trees(Leaves leaves) {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "Tree::build");
    frames.name(0x2, "Tree::build");
    const uint32_t tree = builder.stack({0x1, 0x9}), leaf = builder.stack({0x2, 0x9});
    const uint32_t viewed = builder.stack({0x5, 0x9}), released = builder.stack({0x6, 0x9});
    uint64_t buffer = 0x1000;
    for (int i = 0; i < 10; ++i) {
        const uint64_t root = buffer;
        builder.create(root, 32, "Tree", tree);
        const int number = leaves == Leaves::kUneven ? 3 + i % 2 * 2 - 1 : 3;
        for (int one = 0; one < number; ++one) {
            builder.create(buffer += 64, 32, "Leaf", leaf);
            if (leaves == Leaves::kRetained) builder.retain(buffer, viewed);
        }
        builder.retain(root, viewed).release(root, released);
        buffer += 64;
    }
    return findings_of(report_of(builder, frames), Kind::kRefcountLeak);
}

}  // namespace

TEST_CASE("where all leak, what is made with each owner and nobody else uses is reported with it") {
    const auto leaks = leaks_of_trees(Leaves::kLeft);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].type == "Tree");
    REQUIRE(leaks[0].dependants.size() == 1);
    CHECK(leaks[0].dependants[0].type == "Leaf");
    CHECK(leaks[0].dependants[0].count == 30);
    CHECK(leaks[0].dependants[0].cause == Cause::kReferenceToLeakedOwner);
    CHECK(leaks[0].culprit->ambiguous);
}

TEST_CASE("what others retain, or what does not come with each owner, is a leak of its own") {
    const Leaves leaves = GENERATE(Leaves::kRetained, Leaves::kUneven);
    CHECK(leaks_of_trees(leaves).size() == 2);
}
