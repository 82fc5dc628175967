// The packed trace: the whole container and its specification. `lastref pack` writes it
// (pack_writer), PackedSource reads it; both see it as a compressed form of the plain trace
// (trace_format.h), whose every chunk it gives back byte for byte, at the same offsets.
//
// Version policy: `kPackedVersion` is raised whenever a reader of the old version would
// misunderstand a new file: for a change of the container, of the columns or of what predicts them
// (record_model, block_model). Records are packed by the kFields table of trace_format.h, so that
// kTraceVersion is part of the header too. A reader accepts its own versions only.
//
// LAYOUT. All integers are little-endian.
//   PackedHeader
//   segments, back to back: SegmentHeader, its SegmentEntry's, then `body_size` bytes of columns
//
// Each segment unpacks on its own. It holds pieces of the plain trace, which its entries name:
//   kRecords  chunks of kind kEvents, or of kind kMeta, by the columns of Column
//   kNodes    chunks of kind kStacks; their payloads one after the other in column kBytes
//   kRaw      anything else that is not zero: the header page, what is damaged. An entry's
//             header.committed is the piece's length and the rest of its header is zero; the pieces
//             one after the other in column kBytes
// Bytes that no piece covers are zero: space behind a chunk's committed bytes and reserved space.
//
// BODY. varint: how many columns; for each its number (byte), its size and its packed size
// (varints); then the packed columns in that order. A column is one zstd frame, or the bytes as
// they are where both sizes are equal. Columns that are not there are empty.
//
// RECORDS. For each chunk, column kCounts says how many records it has (varint) and how many bytes
// follow them (varint) that are no record in the coding that the shim uses; those are in kBytes.
// For each record, what the predictions of RecordModel leave open is in the other columns.
#ifndef LASTREF_ANALYZER_PACK_PACKED_FORMAT_H
#define LASTREF_ANALYZER_PACK_PACKED_FORMAT_H

#include <cstddef>
#include <cstdint>

#include "trace_format.h"

namespace lastref::packed {

inline constexpr char kPackedMagic[8] = {'L', 'R', 'E', 'F', 'P', 'A', 'C', 'K'};
inline constexpr uint32_t kPackedVersion = 1;
inline constexpr uint32_t kSegmentMagic = 0x5347524c;  // "LRGS"

// A segment is closed when it holds this much of the plain trace; a reader takes no larger one.
inline constexpr uint64_t kSegmentSize = 8u << 20;
inline constexpr uint64_t kMaxSegmentSize = kSegmentSize + trace::kMaxChunkSize;

struct PackedHeader {
    char magic[8];
    uint32_t version;        // kPackedVersion
    uint32_t byte_order;     // trace::kByteOrderMark
    uint32_t trace_version;  // trace::kTraceVersion
    uint32_t segments;
    uint64_t trace_size;   // bytes of the plain trace, reserved space included
    uint64_t packed_size;  // bytes of this file
    uint64_t check;        // checksum() of all before it
};
static_assert(sizeof(PackedHeader) == 48);

enum class SegmentKind : uint32_t { kRecords = 1, kNodes = 2, kRaw = 3 };

struct SegmentHeader {
    uint32_t magic;  // kSegmentMagic
    SegmentKind kind;
    uint32_t entries;
    uint32_t body_size;
    uint64_t body_check;  // checksum() of the body
    uint64_t head_check;  // checksum() of this header up to here, continued over the entries
};
static_assert(sizeof(SegmentHeader) == 32);

struct SegmentEntry {
    uint64_t offset;  // in the plain trace: of the chunk's header, or of a raw piece
    trace::ChunkHeader header;
};
static_assert(sizeof(SegmentEntry) == 72);

enum Column : uint8_t {
    kBytes,         // payloads as they are
    kCounts,        // varints: records, bytes after them; for each chunk
    kKeyToken,      // which prediction of op and stack is true
    kOp,            // where none is: op, and kHasStack
    kNewStack,      // varint: stack id - the highest so far
    kOldStack,      // svarint: stack id - the log's previous one
    kSize,          // number, see RecordModel::number: fSize
    kNumber,        // number: the other fields that are plain numbers
    kBlockToken,    // which prediction of a new block's address is true
    kBlockAddress,  // where none is
    kEndToken,      // which prediction of the block that ends is true
    kEndBlock,      // where none is: its age in blocks, or its address
    kNearToken,     // which prediction of another address is true
    kNearAddress,   // where none is
    kText,          // texts, each a varint length and its bytes
    kTimeLow,       // low bytes of long times
    kTimeHigh,      // their other bytes
    kTime,          // short times, by the magnitude that is expected: kTimeColumns columns
    kTimeColumns = 16,
    kColumns = kTime + kTimeColumns,
};
inline constexpr uint8_t kHasStack = 0x80;

// Detects damage; no defence against forgery. Multiply and fold, 8 bytes at
// a time; `seed` is the checksum of what came before.
uint64_t checksum(const void* data, size_t size, uint64_t seed = 0);

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_PACKED_FORMAT_H
