#include "analyze/rank_test.h"

#include "support/catch.h"

using lastref::RankTest;

namespace {

// `some` of `all`, of which the ranks are `every` apart from `first` on.
RankTest of(uint64_t some, uint64_t all, uint64_t first, uint64_t every) {
    double ranks = 0;
    for (uint64_t i = 0; i < some; ++i) ranks += static_cast<double>(first + i * every);
    RankTest test;
    test.add(some, all, ranks);
    return test;
}

bool lies_evenly(const RankTest& test) {
    return !test.lie_in_front() && !test.lie_at_end();
}

}  // namespace

TEST_CASE("what lies evenly is neither in front nor at the end") {
    CHECK(lies_evenly(of(30, 600, 10, 20)));
    CHECK(lies_evenly(of(4, 600, 60, 160)));
    CHECK(lies_evenly(of(1, 600, 200, 1)));
}

TEST_CASE("what thins out lies in front, what gets dense at the end") {
    CHECK(of(12, 300, 0, 4).lie_in_front());
    CHECK(of(12, 300, 255, 4).lie_at_end());
    CHECK_FALSE(of(12, 300, 0, 4).lie_at_end());
    CHECK_FALSE(of(12, 300, 255, 4).lie_in_front());
}

TEST_CASE("of fewer than four all have to be among the first") {
    CHECK(of(1, 32, 1, 1).lie_in_front());
    CHECK(lies_evenly(of(1, 32, 2, 1)));
    CHECK(of(3, 100, 0, 5).lie_in_front());
    CHECK(lies_evenly(of(3, 100, 0, 10)));
    CHECK(lies_evenly(of(3, 100, 97, 1)));
}

TEST_CASE("strata that each say little are significant together") {
    RankTest together;
    for (int i = 0; i < 8; ++i) {
        const RankTest one = of(2, 75, 4, 15);
        CHECK(lies_evenly(one));
        together.add(one);
    }
    CHECK(together.lie_in_front());
}

TEST_CASE("nearly all that was made lies where the few others do not") {
    // 525 of 600 are left; most of those that are not were made early.
    constexpr double kAll = 600 * 599 / 2.0;
    RankTest test, even;
    test.add(525, 600, kAll - 75 * 150);
    even.add(525, 600, kAll - 75 * 300);
    CHECK(test.lie_at_end());
    CHECK(lies_evenly(even));
}

TEST_CASE("where all or none are left there is nothing to compare") {
    RankTest test = of(20, 20, 0, 1);
    test.add(0, 100, 0);
    CHECK(lies_evenly(test));
}
