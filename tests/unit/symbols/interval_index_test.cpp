#include "symbols/interval_index.h"

#include <random>

#include "support/catch.h"

using lastref::IntervalIndex;

namespace {

int at(const IntervalIndex<int>& index, uint64_t address) {
    const int* value = index.find(address);
    return value ? *value : 0;
}

}  // namespace

TEST_CASE("an empty interval index holds nothing") {
    IntervalIndex<int> index;
    index.seal();
    CHECK(index.empty());
    CHECK(at(index, 0) == 0);
}

TEST_CASE("the innermost range owns an address") {
    IntervalIndex<int> index;
    index.add(20, 30, 2);
    index.add(10, 100, 1);
    index.add(25, 28, 3);
    index.add(200, 201, 4);
    index.add(50, 50, 5);  // empty
    index.seal();
    CHECK(at(index, 9) == 0);
    CHECK(at(index, 10) == 1);
    CHECK(at(index, 20) == 2);
    CHECK(at(index, 25) == 3);
    CHECK(at(index, 27) == 3);
    CHECK(at(index, 28) == 2);
    CHECK(at(index, 30) == 1);
    CHECK(at(index, 50) == 1);
    CHECK(at(index, 99) == 1);
    CHECK(at(index, 100) == 0);
    CHECK(at(index, 200) == 4);
    CHECK(at(index, 201) == 0);
}

TEST_CASE("of ranges that begin together the shorter wins, then the later one") {
    IntervalIndex<int> index;
    index.add(10, 20, 1);
    index.add(10, 40, 2);
    index.add(10, 20, 3);
    index.seal();
    CHECK(at(index, 10) == 3);
    CHECK(at(index, 20) == 2);
}

TEST_CASE("random ranges are found as a scan finds them") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        struct Range {
            uint64_t begin, end;
        };
        std::vector<Range> ranges;
        IntervalIndex<int> index;
        for (int i = 0; i < 12; ++i) {
            uint64_t begin = random() % 60, end = begin + 1 + random() % 30;
            ranges.push_back({begin, end});
            index.add(begin, end, i + 1);
        }
        index.seal();
        for (uint64_t address = 0; address < 100; ++address) {
            int expected = 0;
            for (int i = 0; i < 12; ++i) {
                const Range& range = ranges[i];
                if (address < range.begin || address >= range.end) continue;
                if (expected == 0) {
                    expected = i + 1;
                    continue;
                }
                const Range& best = ranges[expected - 1];
                bool is_inner =
                    range.begin != best.begin ? range.begin > best.begin : range.end <= best.end;
                if (is_inner) expected = i + 1;
            }
            CHECK(at(index, address) == expected);
        }
    }
}
