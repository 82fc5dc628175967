#include "pack/columns.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "read/varint.h"
#include "support/catch.h"

using namespace lastref::packed;
using namespace std::string_literals;
using lastref::append_varint;

namespace {

constexpr uint64_t kNoLimit = UINT64_MAX;
const std::vector<uint64_t> kEdges = {
    0, 1, 0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX, uint64_t{1} << 32, INT64_MAX, UINT64_MAX};

Unpacking unpacking(const std::vector<uint8_t>& body, uint64_t limit = kNoLimit) {
    return {body.data(), body.size(), limit};
}

struct StoredColumn {
    uint64_t number, size, packed_size;
    std::vector<uint8_t> bytes;
};

// A body by hand (BODY in packed_format.h).
std::vector<uint8_t> body_of(const std::vector<StoredColumn>& columns, uint64_t count) {
    std::vector<uint8_t> body;
    append_varint(body, count);
    for (const StoredColumn& column : columns) {
        body.push_back(static_cast<uint8_t>(column.number));
        append_varint(body, column.size);
        append_varint(body, column.packed_size);
    }
    for (const StoredColumn& column : columns) {
        body.insert(body.end(), column.bytes.begin(), column.bytes.end());
    }
    return body;
}
std::vector<uint8_t> body_of(const std::vector<StoredColumn>& columns) {
    return body_of(columns, columns.size());
}

}  // namespace

TEST_CASE("every column gives back numbers, bytes and texts at their edges") {
    const std::string text = "\0\x80\xff text"s, long_text(100'000, 'x');
    Packing packing;
    for (size_t i = 0; i < kColumns; ++i) {
        const auto column = static_cast<Column>(i);
        for (const uint64_t edge : kEdges) packing.number(column, edge + i);
        for (const uint8_t byte : {0, 0x7f, 0x80, 0xff}) packing.byte(column, byte);
        packing.bytes(column, text.size(), text);
        packing.bytes(column, 0, "");
        packing.bytes(column, long_text.size(), long_text);
    }
    const std::vector<uint8_t> body = packing.finish();
    CHECK(body.size() < kColumns * 1000);

    Unpacking columns = unpacking(body);
    for (size_t i = kColumns; i-- > 0;) {  // columns do not depend on the order between them
        const auto column = static_cast<Column>(i);
        for (const uint64_t edge : kEdges) {
            uint64_t number = 1;
            columns.number(column, number);
            CHECK(number == edge + i);
        }
        for (const uint8_t expected : {0, 0x7f, 0x80, 0xff}) {
            uint8_t byte = 1;
            columns.byte(column, byte);
            CHECK(byte == expected);
        }
        std::string_view found;
        columns.bytes(column, text.size(), found);
        CHECK(found == text);
        columns.bytes(column, 0, found);
        CHECK(found.empty());
        CHECK_FALSE(columns.finished());
        columns.bytes(column, long_text.size(), found);
        CHECK(found == long_text);
    }
    CHECK_FALSE(columns.failed());
    CHECK(columns.finished());
}

TEST_CASE("finishing empties the columns; without any the body is one byte") {
    Packing packing;
    packing.byte(kOp, 7);
    CHECK(packing.finish().size() > 1);
    CHECK(packing.finish() == std::vector<uint8_t>{0});
    CHECK(unpacking({0}).finished());
}

TEST_CASE("what does not get smaller is stored as it is") {
    std::mt19937 random(1);
    std::string noise;
    for (int i = 0; i < 1000; ++i) noise += static_cast<char>(random());
    Packing packing;
    packing.bytes(kBytes, noise.size(), noise);
    const std::vector<uint8_t> body = packing.finish();
    CHECK(body.size() == noise.size() + 6);
    Unpacking columns = unpacking(body);
    std::string_view found;
    columns.bytes(kBytes, noise.size(), found);
    CHECK(found == noise);
}

TEST_CASE("reading on at a column's end gives zeros and fails for good") {
    Packing packing;
    packing.byte(kOp, 9);
    packing.byte(kText, 0x80);  // a number that has no end
    const std::vector<uint8_t> body = packing.finish();
    uint8_t byte = 1;
    uint64_t number = 1;
    std::string_view text = "before";
    SECTION("byte") {
        Unpacking columns = unpacking(body);
        columns.byte(kOp, byte);
        CHECK(byte == 9);
        columns.byte(kOp, byte);
        CHECK(byte == 0);
        CHECK(columns.failed());
        CHECK_FALSE(columns.finished());
    }
    SECTION("number") {
        Unpacking columns = unpacking(body);
        columns.number(kText, number);
        CHECK(columns.failed());
        columns.number(kTime, number);
        CHECK(number == 0);
    }
    SECTION("bytes") {
        Unpacking columns = unpacking(body);
        columns.bytes(kOp, 2, text);
        CHECK(text.empty());
        CHECK(columns.failed());
    }
    SECTION("more bytes than a size can count") {
        Unpacking columns = unpacking(body);
        columns.bytes(kOp, SIZE_MAX, text);
        CHECK(text.empty());
        CHECK(columns.failed());
    }
}

TEST_CASE("a number of more than 64 bits fails") {
    const std::vector<uint8_t> endless(11, 0xff);
    const auto body = body_of({{kSize, endless.size(), endless.size(), endless}});
    Unpacking columns = unpacking(body);
    uint64_t number = 0;
    columns.number(kSize, number);
    CHECK(columns.failed());
}

TEST_CASE("a body with an impossible directory fails as a whole") {
    const std::vector<uint8_t> three = {1, 2, 3};
    const StoredColumn good = {kOp, 3, 3, three};
    CHECK_FALSE(unpacking(body_of({good})).failed());
    std::vector<uint8_t> behind = body_of({good});
    behind.push_back(0);
    const std::vector<std::vector<uint8_t>> bodies = {
        {},
        behind,
        body_of({good}, 2),                              // fewer than counted
        body_of({}, kColumns + 1),                       // more than there are
        body_of({good, good}),                           // one twice
        body_of({{kColumns, 3, 3, three}}),              // one that there is not
        body_of({{kOp, 0, 0, {}}}),                      // an empty one
        body_of({{kOp, 4, 4, three}}),                   // larger than the body
        body_of({{kOp, UINT32_MAX, 3, three}}),          // no zstd frame
        body_of({{kOp, 3, 2, three}}),                   // neither
        body_of({{kOp, UINT64_MAX, UINT64_MAX, three}})  // a number too long for a directory
    };
    for (size_t i = 0; i < bodies.size(); ++i) {
        INFO("body " << i);
        Unpacking columns = unpacking(bodies[i]);
        CHECK(columns.failed());
        uint8_t byte = 1;
        columns.byte(kOp, byte);
        CHECK(byte == 0);
    }
}

TEST_CASE("columns may not be larger than allowed, all together") {
    Packing packing;
    const std::string text(10'000, 'x');
    packing.bytes(kBytes, text.size(), text);
    packing.bytes(kText, text.size(), text);
    const std::vector<uint8_t> body = packing.finish();
    CHECK_FALSE(unpacking(body, 20'000).failed());
    CHECK(unpacking(body, 19'999).failed());
    CHECK(unpacking(body, 0).failed());
}

TEST_CASE("a body that is cut off or has a flipped bit never gives too much") {
    Packing packing;
    for (int i = 0; i < 500; ++i) {
        packing.number(kSize, static_cast<uint64_t>(i) * i);
        packing.byte(kOp, static_cast<uint8_t>(i % 3));
    }
    const std::vector<uint8_t> body = packing.finish();
    for (size_t size = 0; size < body.size(); ++size) {
        CHECK(unpacking({body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)}).failed());
    }
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
        std::vector<uint8_t> flipped = body;
        flipped[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        Unpacking columns = unpacking(flipped, 1 << 20);
        int bytes = 0;
        for (uint8_t byte = 0; !columns.failed() && bytes <= 1 << 20; ++bytes) {
            columns.byte(kOp, byte);
        }
        CHECK(bytes <= 1 << 20);
    }
}
