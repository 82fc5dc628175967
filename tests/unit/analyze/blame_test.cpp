#include "analyze/blame.h"
#include "analyze/plumbing.h"

#include <algorithm>

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

// The pipeline of the game server (tests/programs/game_server): create, encode a header (retain),
// release after each stage.
struct Pipeline {
    TraceBuilder builder;
    FakeFrames frames;
    uint32_t created, retained, released;
    uint64_t next = 0x10000;

    Pipeline() {
        frames.name(0x1, "ProtocolEncoder::encode");
        frames.name(0x2, "ByteBuf::retain");
        frames.name(0x3, "FrameEncoder::encode");
        frames.name(0x4, "ByteBuf::release");
        frames.name(0x5, "Framework::after_encode");
        created = builder.stack({0x1, 0x9});
        retained = builder.stack({0x2, 0x3, 0x9});
        released = builder.stack({0x4, 0x5, 0x9});
    }
    void message(int retains) {
        builder.create(next, 256, "ByteBuf", created);
        for (int i = 0; i < retains; ++i) builder.retain(next, retained);
        builder.release(next, released).release(next, released);
        next += 0x200;
    }
    Finding only_leak() {
        const auto leaks = findings_of(report_of(builder, frames), Kind::kRefcountLeak);
        REQUIRE(leaks.size() == 1);
        return leaks[0];
    }
};

}  // namespace

TEST_CASE("a retain that ended peers did once and leaked ones twice is the culprit") {
    Pipeline pipeline;
    for (int i = 0; i < 1000; ++i) {
        pipeline.message(1);
        pipeline.message(2);
    }
    const Finding leak = pipeline.only_leak();
    CHECK(leak.count == 1000);
    CHECK(leak.peers_ended == 1000);
    REQUIRE(leak.culprit);
    CHECK(leak.culprit->cause == Cause::kExtraRetain);
    CHECK(leak.culprit->frame.function == "FrameEncoder::encode");
    CHECK(leak.culprit->confidence > 0.99);
    CHECK_FALSE(leak.culprit->ambiguous);
    CHECK(leak.culprit->explanation.find("twice here in 1000 of 1000") != std::string::npos);
}

TEST_CASE("one leaked buffer is enough, with less confidence") {
    Pipeline pipeline;
    pipeline.message(1);
    pipeline.message(2);
    const Finding leak = pipeline.only_leak();
    REQUIRE(leak.culprit);
    CHECK(leak.culprit->frame.function == "FrameEncoder::encode");
    CHECK(leak.culprit->confidence > 0.4);
    CHECK(leak.culprit->confidence < 0.9);
}

TEST_CASE("without ended peers a double retain is named but ambiguous") {
    Pipeline pipeline;
    for (int i = 0; i < 1000; ++i) pipeline.message(2);
    const Finding leak = pipeline.only_leak();
    REQUIRE(leak.culprit);
    CHECK(leak.culprit->frame.function == "FrameEncoder::encode");
    CHECK(leak.culprit->ambiguous);
    CHECK(leak.culprit->confidence < 0.9);
}

TEST_CASE("without retains the creator's reference was never released") {
    TraceBuilder builder;
    for (uint64_t i = 0; i < 10; ++i)
        builder.create(0x1000 + i * 64, 32, "B", builder.stack({0x1}));
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->cause == Cause::kNeverReleased);
    CHECK(leaks[0].culprit->ambiguous);
    CHECK(leaks[0].culprit->frame.function == "f1");
}

TEST_CASE("a release that ended peers had is missing in leaked ones") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), kept = builder.stack({0x2}),
                   dropped = builder.stack({0x3}), last = builder.stack({0x4});
    uint64_t buffer = 0x1000;
    for (int i = 0; i < 50; ++i, buffer += 64) {
        builder.create(buffer, 32, "B", made).retain(buffer, kept).release(buffer, dropped);
        if (i % 10 != 0) builder.release(buffer, last);  // the error path forgets it
    }
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].count == 5);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->cause == Cause::kMissingRelease);
    CHECK(leaks[0].culprit->frame.function == "f4");
    CHECK(leaks[0].culprit->confidence > 0.5);
    CHECK(leaks[0].culprit->confidence < 0.95);  // why it is missing may be another buffer's fault
}

TEST_CASE("a branch whose own retain and release balance is not blamed") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), last = builder.stack({0x4}),
                   branch_up = builder.stack({0x5}), branch_down = builder.stack({0x6});
    uint64_t buffer = 0x1000;
    for (int i = 0; i < 50; ++i, buffer += 64) {
        builder.create(buffer, 32, "B", made);
        if (i % 5 == 0) {
            builder.retain(buffer, branch_up).release(buffer, branch_down);  // and no release
        } else {
            builder.release(buffer, last);
        }
    }
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->cause == Cause::kMissingRelease);
    CHECK(leaks[0].culprit->frame.function == "f4");
}

TEST_CASE("where two references are kept and no peer ended, both holders come first") {
    TraceBuilder builder;
    const uint32_t a = builder.stack({0xa}), b = builder.stack({0xb}), c = builder.stack({0xc});
    builder.create(0x1000, 32, "B", c).retain(0x1000, a).retain(0x1000, b).release(0x1000, c);
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].suspects.size() >= 2);
    CHECK(leaks[0].suspects[0].frame.function + leaks[0].suspects[1].frame.function == "fafb");
    CHECK(leaks[0].suspects[0].ambiguous);
}

TEST_CASE(
    "where no peer is of the same place, all lives of the type are compared, however many ways") {
    TraceBuilder builder;
    const auto way = [&](uint32_t place, uint32_t number) {
        return builder.stack({0x100000 + place * 0x1000 + number, 0x9});
    };
    constexpr uint32_t kPlaces = 10, kWays = 250;  // more than are compared with
    uint64_t buffer = 0x10000;
    for (uint32_t place = 0; place < kPlaces; ++place) {
        const uint32_t made = builder.stack({0x10 + place, 0x9});
        for (uint32_t number = 0; number < kWays; ++number, buffer += 64) {
            builder.create(buffer, 32, "B", made).retain(buffer, way(place, number));
            builder.release(buffer, way(place, number)).release(buffer, made);
        }
    }
    builder.create(buffer, 32, "B", builder.stack({0x5, 0x9})).retain(buffer, way(0, 0));
    builder.release(buffer, way(0, 0));
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE_FALSE(leaks[0].suspects.empty());
    CHECK(leaks[0].suspects[0].explanation.find("only 2500 of the type made elsewhere") !=
          std::string::npos);
}

namespace {

// A verdict with suspects of these scores, the first for `cause`.
Verdict verdict_of(Cause cause, PeerLevel level, std::initializer_list<double> scores) {
    Verdict verdict;
    verdict.level = level;
    verdict.peers = level == PeerLevel::kNone ? 0 : 1000;
    for (const double score : scores) {
        Suspect suspect;
        suspect.cause = cause;
        suspect.score = score;
        verdict.suspects.push_back(suspect);
    }
    return verdict;
}

}  // namespace

TEST_CASE("one life is nearly as good as many, and nobody is quite sure") {
    const Verdict extra = verdict_of(Cause::kExtraRetain, PeerLevel::kSite, {1});
    CHECK(confidence_of(extra, 1) > 0.93);
    CHECK(confidence_of(extra, 1) < confidence_of(extra, 100));
    CHECK(confidence_of(extra, 100) < 1);
    const Verdict missing = verdict_of(Cause::kMissingRelease, PeerLevel::kSite, {1});
    CHECK(confidence_of(missing, 1) > 0.9);
    CHECK(confidence_of(missing, 100) < 0.975);
}

TEST_CASE("a missing release beside which others are suspicious is worth less than its share") {
    const auto sure = [](Cause cause, double others) {
        return confidence_of(verdict_of(cause, PeerLevel::kSite, {1, others}), 100);
    };
    CHECK(sure(Cause::kMissingRelease, 0.18) < 0.65);  // seven in thirteen were right
    CHECK(sure(Cause::kMissingRelease, 0.5) < kLeastConfidence);
    CHECK(sure(Cause::kExtraRetain, 0.18) > 0.8);
}

TEST_CASE("a life's own balance: the first of several is surer than its share, or none is named") {
    const auto sure = [](double others) {
        return confidence_of(verdict_of(Cause::kNeverReleased, PeerLevel::kNone, {1, others}), 100);
    };
    CHECK(sure(0) > 0.75);
    CHECK(sure(0) < kAlone);
    CHECK(sure(0.25) > 0.7);
    CHECK(sure(0.25) < sure(0));
    CHECK(sure(1) < kLeastConfidence);
}

TEST_CASE("functions that only step a counter are known by their names") {
    CHECK(is_counting_name("ByteBuf::retain"));
    CHECK(is_counting_name("gst_buffer_ref"));
    CHECK(is_counting_name("intrusive_ptr_add_ref"));
    CHECK(is_counting_name("boost::intrusive_ptr<Buffer>::intrusive_ptr"));
    CHECK_FALSE(is_counting_name("Cache::insert"));
    CHECK_FALSE(is_counting_name("encode"));
}

TEST_CASE("a function that all retains pass on their way from several callers is plumbing") {
    TraceBuilder builder;
    FakeFrames frames;
    const uint32_t made = builder.stack({0x1}), kept = builder.stack({0x2, 0x3}),
                   kept_too = builder.stack({0x2, 0x4}), dropped = builder.stack({0x5});
    for (uint64_t i = 0; i < 40; ++i) {
        const uint64_t buffer = 0x1000 + i * 64;
        builder.create(buffer, 32, "B", made).retain(buffer, kept).release(buffer, dropped);
        if (i % 4 == 0) builder.retain(buffer, kept_too);
        builder.release(buffer, dropped);
    }
    const auto leaks = findings_of(report_of(builder, frames), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->cause == Cause::kExtraRetain);
    CHECK(leaks[0].culprit->frame.function == "f4");
    CHECK_FALSE(leaks[0].culprit->ambiguous);
}

TEST_CASE("the caller that forgets is named, not the look-up that others use without harm") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), other = builder.stack({0x9}),
                   found = builder.stack({0x2, 0x3}), found_too = builder.stack({0x2, 0x4}),
                   last = builder.stack({0x5});
    for (uint64_t i = 0; i < 40; ++i) {
        const uint64_t buffer = 0x1000 + i * 64;
        builder.create(buffer, 32, "B", made).retain(buffer, other).release(buffer, other);
        builder.retain(buffer, found).release(buffer, builder.stack({0x3}));
        if (i % 4 == 0) builder.retain(buffer, found_too);
        builder.release(buffer, last);
    }
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    REQUIRE(leaks[0].culprit);
    CHECK(leaks[0].culprit->frame.function == "f4");
}

TEST_CASE("of releases the one that clean lives lack is one too many, not the last") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), extra = builder.stack({0x2}),
                   usual = builder.stack({0x3}), last = builder.stack({0x4});
    for (uint64_t i = 0; i < 40; ++i) {
        const uint64_t buffer = 0x1000 + i * 64;
        builder.create(buffer, 32, "B", made).retain(buffer, usual);
        if (i % 4 == 0) builder.release(buffer, extra);
        builder.release(buffer, usual).release(buffer, last);
    }
    const auto found = findings_of(report_of(builder), Kind::kOverRelease);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].culprit);
    CHECK(found[0].culprit->frame.function == "f2");
    CHECK_FALSE(found[0].culprit->ambiguous);
}

TEST_CASE("the caller that frees memory too early is named, not what frees it as usual") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x2, "Buffer::dispose");
    frames.name(0x3, "Buffer::release");
    frames.name(0x4, "Cleaner::clean");
    const uint32_t made = builder.stack({0x1}), released = builder.stack({0x3, 0x5}),
                   usual = builder.stack({0x2, 0x3, 0x5}), early = builder.stack({0x2, 0x4});
    for (uint64_t i = 0; i < 40; ++i) {
        const uint64_t buffer = 0x10000 + i * 64;
        builder.malloc(buffer, 32).create(buffer, 32, "B", made);
        if (i % 4 == 0) {
            builder.free(buffer, early);
        } else {
            builder.release(buffer, released).free(buffer, usual);
        }
    }
    const auto found = findings_of(report_of(builder, frames), Kind::kFreedWhileReferenced);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].culprit);
    CHECK(found[0].culprit->frame.function == "Cleaner::clean");
}

TEST_CASE("where operations of many buffers are unseen no culprit is named") {
    TraceBuilder builder;
    const uint32_t made = builder.stack({0x1}), kept = builder.stack({0x2}),
                   last = builder.stack({0x3});
    const uint64_t unseen = GENERATE(0, 8);
    for (uint64_t i = 0; i < 100; ++i) {
        const uint64_t buffer = 0x10000 + i * 64;
        builder.create(buffer, 32, "B", made);
        if (i % 10 == 5) builder.retain(buffer, kept);
        if (i < unseen) builder.count(buffer, 2).count(buffer, 1);
        builder.release(buffer, last);
    }
    const auto leaks = findings_of(report_of(builder), Kind::kRefcountLeak);
    REQUIRE(leaks.size() == 1);
    CHECK(leaks[0].culprit.has_value() == (unseen == 0));
    CHECK(leaks[0].reason.empty() == (unseen == 0));
    CHECK_FALSE(leaks[0].suspects.empty());
}

TEST_CASE("a queue that is drained too slowly grows: who puts in is named, not who takes out") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "Server::handle");
    frames.name(0x2, "Queue::put");
    frames.name(0x3, "Queue::take");
    const uint32_t made = builder.stack({0x1, 0x9}), put = builder.stack({0x2, 0x1, 0x9}),
                   taken = builder.stack({0x3, 0x9});
    for (uint64_t i = 0; i < 300; ++i) {
        builder.create(0x10000 + i * 64, 32, "Job", made);
        builder.retain(0x10000 + i * 64, put).release(0x10000 + i * 64, made);
        if (i % 3 == 2) builder.release(0x10000 + i / 3 * 64, taken);
    }
    const auto found = findings_of(report_of(builder, frames), Kind::kGrowth);
    REQUIRE(found.size() == 1);
    CHECK(found[0].count == 200);
    REQUIRE(found[0].culprit);
    CHECK(found[0].culprit->frame.function == "Queue::put");
    CHECK(found[0].culprit->confidence <= 0.95);
}

TEST_CASE("what a GLib class made when it was initialised is held by it") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "gst_caps_new_empty");
    frames.name(0x2, "g_type_class_ref");
    frames.name(0x3, "main");
    const uint32_t by_class = builder.stack({0x1, 0x2, 0x3}),
                   by_program = builder.stack({0x1, 0x3});
    builder.create(0x1000, 32, "GstMiniObject", by_class);
    builder.create(0x2000, 32, "GstMiniObject", by_program);
    const Report report = report_of(builder, frames);
    CHECK(findings_of(report, Kind::kRefcountLeak).size() == 1);
    const auto held = findings_of(report, Kind::kHeld);
    REQUIRE(held.size() == 1);
    CHECK(held[0].example.buffer == 0x1000);
    CHECK(held[0].reason.find("g_type_class_ref") != std::string::npos);
}
