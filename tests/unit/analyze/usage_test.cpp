#include "analyze/usage.h"

#include "support/catch.h"

using namespace lastref;

namespace {

constexpr uint32_t kType = 3;

const Usage::Site& site(const Usage& usage, uint32_t stack) {
    return usage.types().at(kType).sites.at(stack);
}

}  // namespace

TEST_CASE("what a stack holds at the peak is what it held then") {
    Usage usage(Sampling{}, 0);
    usage.begins(kType, 1, 100);
    usage.begins(kType, 2, 50);
    usage.ends(kType, 1, 100);
    usage.begins(kType, 2, 60);   // 110: no peak
    usage.begins(kType, 3, 200);  // 310: the peak, with nothing of stack 1
    usage.ends(kType, 2, 50);
    usage.ends(kType, 3, 200);
    usage.finish();
    CHECK(site(usage, 1).peak.bytes == 0);
    CHECK(site(usage, 2).peak.bytes == 110);
    CHECK(site(usage, 2).peak.count == 2);
    CHECK(site(usage, 3).peak.bytes == 200);
    CHECK(site(usage, 2).live.bytes == 60);
    CHECK(site(usage, 3).live.bytes == 0);
    CHECK(site(usage, 1).allocated.bytes == 100);
    CHECK(usage.types().at(kType).peak.bytes == 310);
}

TEST_CASE("a site that never changes after the peak has its amount of then") {
    Usage usage(Sampling{}, 0);
    usage.begins(kType, 1, 10);
    usage.begins(kType, 2, 20);
    usage.finish();
    CHECK(site(usage, 1).peak.bytes == 10);
    CHECK(site(usage, 2).peak.bytes == 20);
}

TEST_CASE("a life that goes on is not allocated again") {
    Usage usage(Sampling{}, 0);
    usage.begins(kType, 1, 10);
    usage.ends(kType, 1, 10);
    usage.begins(kType, 1, 10, false);
    usage.finish();
    CHECK(site(usage, 1).allocated.count == 1);
    CHECK(site(usage, 1).live.count == 1);
}

TEST_CASE("however long a trace is, its course takes few steps and keeps the highest") {
    Usage usage(Sampling{}, 1000);
    for (uint64_t i = 0; i < 100000; ++i) {
        usage.set_time(1000 + i * i);
        usage.begins(kType, 1, 1);
        if (i != 777) usage.ends(kType, 1, 1);
    }
    usage.finish();
    const Usage::TypeUsage& type = usage.types().at(kType);
    CHECK(type.most.size() <= Usage::kMostSteps);
    CHECK(type.most.size() > Usage::kMostSteps / 2);
    CHECK(type.most.front().bytes == 2);
    CHECK(type.most.back().bytes == 2);
    CHECK(type.live.bytes == 1);
}

TEST_CASE("nothing happened in a step: what was there before is still there") {
    Usage usage(Sampling{}, 0);
    usage.begins(kType, 1, 5);
    usage.set_time(10 * usage.step_ticks());
    usage.finish();
    const auto& most = usage.types().at(kType).most;
    REQUIRE(most.size() == 11);
    for (const UsageAmount& step : most) CHECK(step.bytes == 5);
}

TEST_CASE("of a sample the whole is estimated") {
    Usage usage(Sampling{.bytes = 1000, .interval = 128}, 0);
    usage.begins(kType, 1, 10);
    usage.begins(Usage::kHeap, 1, 1);
    usage.finish();
    CHECK(site(usage, 1).live.count == 128);
    CHECK(usage.types().at(Usage::kHeap).live.count > 999);
}
