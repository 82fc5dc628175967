// libFuzzer's target for the inside of packed traces, where no checksum is in the way. The first
// byte says what the rest is:
//   0  the payload of some chunks: packed and unpacked, it is the same again
//   1  the body of a segment as it stands in a file
//   2  the columns of a segment of records: for each its length (two bytes) and its bytes
// The second byte says how many chunks there are and of how many logs, the third how large a chunk
// is that is to be made of columns.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fuzz/trace_target.h"
#include "pack/columns.h"
#include "pack/segment.h"
#include "read/varint.h"

using namespace lastref;
using namespace lastref::packed;

namespace {

struct Shape {
    size_t chunks, logs;
};

std::vector<SegmentEntry> entries_of(Shape shape, size_t bytes) {
    std::vector<SegmentEntry> entries(shape.chunks);
    uint64_t offset = trace::kHeaderSize;
    for (size_t i = 0; i < shape.chunks; ++i) {
        SegmentEntry& entry = entries[i];
        entry.offset = offset;
        entry.header.log = static_cast<uint32_t>(1 + i % shape.logs);
        entry.header.base_address = i << 12;
        const size_t left = shape.chunks - i;
        entry.header.committed = static_cast<uint32_t>(bytes / left);
        bytes -= entry.header.committed;
        offset = piece_end(SegmentKind::kRecords, entry);
    }
    return entries;
}

SegmentHeader header_of(const std::vector<SegmentEntry>& entries, size_t body_size) {
    SegmentHeader header{};
    header.magic = kSegmentMagic;
    header.kind = SegmentKind::kRecords;
    header.entries = static_cast<uint32_t>(entries.size());
    header.body_size = static_cast<uint32_t>(body_size);
    return header;
}

void check_round_trip(Shape shape, const uint8_t* data, size_t size) {
    SegmentContents contents;
    contents.kind = SegmentKind::kRecords;
    contents.entries = entries_of(shape, size);
    contents.bytes.assign(data, data + size);
    contents.bytes.resize(size + kDecodePadding);
    const std::vector<uint8_t> segment = pack_segment(contents);
    SegmentHeader header;
    std::memcpy(&header, segment.data(), sizeof(header));
    const size_t body = sizeof(header) + header.entries * sizeof(SegmentEntry);
    const auto again = unpack_segment(header, contents.entries,
                                      std::span(segment).subspan(body, header.body_size));
    if (again == nullptr || !std::equal(data, data + size, again.get())) std::abort();
}

// All bytes written to `to` must be defined, whatever the body is: the sum is there to read them.
void check_body(Shape shape, size_t bytes, const std::vector<uint8_t>& body) {
    const std::vector<SegmentEntry> entries = entries_of(shape, bytes);
    const auto unpacked = unpack_segment(header_of(entries, body.size()), entries, body);
    if (unpacked == nullptr) return;
    volatile uint64_t sum = checksum(unpacked.get(), bytes);
    (void)sum;
}

std::vector<uint8_t> body_of_columns(const uint8_t* data, size_t size) {
    std::vector<uint8_t> directory, columns;
    uint64_t count = 0;
    for (size_t column = 0; column < kColumns && size >= 2; ++column) {
        const size_t length = std::min<size_t>(data[0] | data[1] << 8, size - 2);
        data += 2;
        size -= 2;
        if (length != 0) {
            ++count;
            directory.push_back(static_cast<uint8_t>(column));
            append_varint(directory, length);
            append_varint(directory, length);
            columns.insert(columns.end(), data, data + length);
        }
        data += length;
        size -= length;
    }
    std::vector<uint8_t> body;
    append_varint(body, count);
    body.insert(body.end(), directory.begin(), directory.end());
    body.insert(body.end(), columns.begin(), columns.end());
    return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 3) return 0;
    const Shape shape = {1u + data[1] % 8, 1u + data[1] / 8 % 4};
    const size_t bytes = size_t{data[2]} * 64;
    const uint8_t* const rest = data + 3;
    const size_t left = size - 3;
    switch (data[0] % 3) {
        case 0:
            check_round_trip(shape, rest, left);
            break;
        case 1:
            check_body(shape, bytes, {rest, rest + left});
            break;
        default:
            check_body(shape, bytes, body_of_columns(rest, left));
            break;
    }
    return 0;
}
