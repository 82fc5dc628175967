// A packed trace as the bytes of the plain one, so that all that reads traces reads packed ones.
//
// The whole file is checked when it is opened: damaged or missing parts are reported then, once,
// and its pieces read as zeros, as chunks do that were never made. Segments are unpacked when they
// are first read; the last few stay in memory. May be read by several threads.
#ifndef LASTREF_ANALYZER_PACK_PACKED_SOURCE_H
#define LASTREF_ANALYZER_PACK_PACKED_SOURCE_H

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pack/packed_format.h"
#include "read/byte_source.h"
#include "read/damage.h"
#include "read/result.h"

namespace lastref::packed {

// Where bytes of the plain trace are kept; a chunk with its header is one piece.
struct Piece {
    uint64_t offset = 0;  // in the plain trace
    uint64_t end = 0;
    uint32_t segment = 0;  // index
    uint32_t entry = 0;    // index in the segment
    uint64_t at = 0;       // of its committed bytes in what the segment unpacks to
};

class PackedSource final : public ByteSource {
public:
    static bool is_packed(const ByteSource& stored);

    // Errors: another version or byte order, header damaged or cut off. `path` stands in messages;
    // damage that leaves some of the trace is added to `damage`.
    static Result<std::unique_ptr<PackedSource>> open(std::unique_ptr<ByteSource> stored,
                                                      const std::string& path, DamageList& damage);
    ~PackedSource() override;

    uint64_t size() const override { return header_.trace_size; }
    uint64_t stored_size() const override { return stored_->size(); }
    bool is_packed() const override { return true; }
    size_t read(uint64_t offset, void* to, size_t length) const override;
    Extent data_at(uint64_t offset) const override;

    // In the order of their offsets, without overlap. Everything else is zero.
    const std::vector<Piece>& pieces() const { return pieces_; }

private:
    struct Segment {
        SegmentHeader header;
        uint64_t offset = 0;  // in the packed file
    };
    struct Unpacked;

    explicit PackedSource(std::unique_ptr<ByteSource> stored);
    void index(DamageList& damage);
    bool add_segment(uint64_t offset, uint64_t& next, std::string& damage);
    void settle_pieces(DamageList& damage);
    std::vector<SegmentEntry> entries(const Segment& segment) const;
    bool body_is_whole(const Segment& segment) const;
    const uint8_t* unpacked(uint32_t segment) const;
    std::vector<Piece>::const_iterator piece_behind(uint64_t offset) const;
    bool copy(const Piece& piece, uint64_t offset, uint8_t* to, size_t length) const;

    std::unique_ptr<ByteSource> stored_;
    PackedHeader header_{};
    std::vector<Segment> segments_;
    std::vector<Piece> pieces_;
    mutable std::mutex mutex_;             // of cache_
    mutable std::vector<Unpacked> cache_;  // the one used last at the end
};

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_PACKED_SOURCE_H
