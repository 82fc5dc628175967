// One segment of a packed trace: pieces of the plain trace to bytes, and bytes to pieces.
//
// Unpacking distrusts every byte: whatever is in a segment, it gives pieces of the sizes that its
// entries name, or fails. Memory is bounded by kMaxSegmentSize, times a small factor.
#ifndef LASTREF_ANALYZER_PACK_SEGMENT_H
#define LASTREF_ANALYZER_PACK_SEGMENT_H

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pack/packed_format.h"

namespace lastref::packed {

// A segment's parts before it is packed.
struct SegmentContents {
    SegmentKind kind = SegmentKind::kRaw;
    std::vector<SegmentEntry> entries;
    // The committed bytes of all entries, one after the other, and kDecodePadding bytes more.
    std::vector<uint8_t> bytes;
};

// The whole segment, as it stands in the file.
std::vector<uint8_t> pack_segment(const SegmentContents& contents);

// The committed bytes of all entries, one after the other; nothing where the body is damaged.
// `entries` must have passed entries_fit().
std::unique_ptr<uint8_t[]> unpack_segment(const SegmentHeader& header,
                                          std::span<const SegmentEntry> entries,
                                          std::span<const uint8_t> body);

// True if the entries may stand in one segment of that kind of a trace of `trace_size` bytes:
// in the order of their offsets, without overlap, not too large together.
bool entries_fit(const SegmentHeader& header, std::span<const SegmentEntry> entries,
                 uint64_t trace_size);

// Continues over the entries where the header is its beginning.
uint64_t head_check(const SegmentHeader& header, std::span<const SegmentEntry> entries);

// Where a piece lies in the plain trace, a chunk's header included.
uint64_t piece_end(SegmentKind kind, const SegmentEntry& entry);

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_SEGMENT_H
