#include "pack/segment.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "pack/columns.h"
#include "pack/record_coding.h"
#include "pack/record_model.h"

namespace lastref::packed {
namespace {

using trace::ChunkHeader;

// The logs of a segment, numbered in the order in which they come.
class LogNumbers {
public:
    explicit LogNumbers(std::span<const SegmentEntry> entries) {
        for (const SegmentEntry& entry : entries) {
            numbers_.try_emplace(entry.header.log, static_cast<uint32_t>(numbers_.size()));
        }
    }
    uint32_t count() const { return static_cast<uint32_t>(numbers_.size()); }
    uint32_t operator[](uint32_t log) const { return numbers_.at(log); }

private:
    std::unordered_map<uint32_t, uint32_t> numbers_;
};

uint64_t committed_bytes(std::span<const SegmentEntry> entries) {
    uint64_t sum = 0;
    for (const SegmentEntry& entry : entries) sum += entry.header.committed;
    return sum;
}

ChunkState start_of(const ChunkHeader& header) {
    return {header.base_address, 0};
}

// A record's fields if writing them gives the same bytes again; else nullptr, as for no record.
const uint8_t* read_exactly(const uint8_t* at, const uint8_t* end, ChunkState& state,
                            RecordFields& record) {
    ChunkState written_from = state;
    const uint8_t* const next = read_record(at, end, state, record);
    if (next == nullptr) return nullptr;
    uint8_t written[trace::kMaxRecordSize];
    const uint8_t* const written_end = write_record(written, record, written_from);
    const auto size = static_cast<size_t>(next - at);
    const bool same = static_cast<size_t>(written_end - written) == size &&
                      std::memcmp(written, at, size) == 0 && written_from.stack == state.stack;
    return same ? next : nullptr;
}

void pack_records(const SegmentContents& contents, Packing& columns) {
    const LogNumbers logs(contents.entries);
    RecordModel<Packing> model(columns, logs.count(), committed_bytes(contents.entries) / 4);
    const uint8_t* at = contents.bytes.data();
    for (const SegmentEntry& entry : contents.entries) {
        const uint8_t* const end = at + entry.header.committed;
        const uint32_t log = logs[entry.header.log];
        ChunkState state = start_of(entry.header);
        uint64_t records = 0;
        while (at < end) {
            RecordFields record;
            const uint8_t* const next = read_exactly(at, end, state, record);
            if (next == nullptr) break;
            model.record(log, record);
            ++records;
            at = next;
        }
        const auto left = static_cast<size_t>(end - at);
        columns.number(kCounts, records);
        columns.number(kCounts, left);
        columns.bytes(kBytes, left, {reinterpret_cast<const char*>(at), left});
        at = end;
    }
}

bool unpack_records(std::span<const SegmentEntry> entries, Unpacking& columns, uint8_t* to) {
    const LogNumbers logs(entries);
    RecordModel<Unpacking> model(columns, logs.count(), committed_bytes(entries) / 4);
    for (const SegmentEntry& entry : entries) {
        uint8_t* const end = to + entry.header.committed;
        const uint32_t log = logs[entry.header.log];
        ChunkState state = start_of(entry.header);
        uint64_t records = 0, left = 0;
        columns.number(kCounts, records);
        columns.number(kCounts, left);
        for (; records != 0; --records) {
            RecordFields record;
            if (to >= end || !model.record(log, record)) return false;
            to = write_record(to, record, state);
        }
        std::string_view rest;
        if (to > end || left != static_cast<uint64_t>(end - to)) return false;
        columns.bytes(kBytes, left, rest);
        if (columns.failed()) return false;
        std::copy(rest.begin(), rest.end(), to);
        to = end;
    }
    return columns.finished();
}

}  // namespace

uint64_t piece_end(SegmentKind kind, const SegmentEntry& entry) {
    return entry.offset + (kind == SegmentKind::kRaw ? 0 : sizeof(ChunkHeader)) +
           entry.header.committed;
}

uint64_t head_check(const SegmentHeader& header, std::span<const SegmentEntry> entries) {
    const uint64_t start = checksum(&header, offsetof(SegmentHeader, head_check));
    return checksum(entries.data(), entries.size_bytes(), start);
}

bool entries_fit(const SegmentHeader& header, std::span<const SegmentEntry> entries,
                 uint64_t trace_size) {
    if (entries.size() >= BlockModel::kMaxLogs) return false;
    uint64_t total = 0, end = 0;
    for (const SegmentEntry& entry : entries) {
        if (entry.offset < end || entry.offset > trace_size ||
            entry.header.committed > trace_size - entry.offset) {
            return false;
        }
        end = piece_end(header.kind, entry);
        total += entry.header.committed;
        if (end > trace_size || total > kMaxSegmentSize) return false;
    }
    return true;
}

std::vector<uint8_t> pack_segment(const SegmentContents& contents) {
    Packing columns;
    if (contents.kind == SegmentKind::kRecords) {
        pack_records(contents, columns);
    } else {
        const auto size = static_cast<size_t>(committed_bytes(contents.entries));
        columns.bytes(kBytes, size, {reinterpret_cast<const char*>(contents.bytes.data()), size});
    }
    const std::vector<uint8_t> body = columns.finish();
    SegmentHeader header{};
    header.magic = kSegmentMagic;
    header.kind = contents.kind;
    header.entries = static_cast<uint32_t>(contents.entries.size());
    header.body_size = static_cast<uint32_t>(body.size());
    header.body_check = checksum(body.data(), body.size());
    header.head_check = head_check(header, contents.entries);
    const size_t entries_size = contents.entries.size() * sizeof(SegmentEntry);
    std::vector<uint8_t> segment(sizeof(header) + entries_size + body.size());
    uint8_t* to = segment.data();
    std::memcpy(to, &header, sizeof(header));
    std::memcpy(to += sizeof(header), contents.entries.data(), entries_size);
    std::memcpy(to + entries_size, body.data(), body.size());
    return segment;
}

std::unique_ptr<uint8_t[]> unpack_segment(const SegmentHeader& header,
                                          std::span<const SegmentEntry> entries,
                                          std::span<const uint8_t> body) {
    const uint64_t size = committed_bytes(entries);
    // No record of n bytes takes more than 8 n in columns: at worst tokens and one address spelt
    // out for one of a few bytes.
    Unpacking columns(body.data(), body.size(), size * 8 + entries.size() * 16);
    if (columns.failed()) return nullptr;
    // Written to record by record; the last may run over before that is seen.
    auto bytes = std::make_unique_for_overwrite<uint8_t[]>(size + trace::kMaxRecordSize);
    if (header.kind == SegmentKind::kRecords) {
        if (!unpack_records(entries, columns, bytes.get())) return nullptr;
    } else {
        std::string_view whole;
        columns.bytes(kBytes, size, whole);
        if (!columns.finished()) return nullptr;
        std::memcpy(bytes.get(), whole.data(), whole.size());
    }
    return bytes;
}

}  // namespace lastref::packed
