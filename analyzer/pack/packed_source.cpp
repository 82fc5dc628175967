#include "pack/packed_source.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "pack/segment.h"

namespace lastref::packed {
namespace {

// Reading by time meets segments in their order; a few more are for logs that lag behind.
constexpr size_t kCached = 4;

constexpr uint64_t kHeaderCheckAt = offsetof(PackedHeader, check);

std::unique_ptr<Error> reject(const PackedHeader& header, size_t got, const std::string& path) {
    const auto error = [&path](uint64_t offset, std::string reason, std::string advice) {
        return std::make_unique<Error>(Error{path, offset, std::move(reason), std::move(advice)});
    };
    const auto version = [](const char* what, uint32_t is, uint32_t wanted) {
        return std::string(what) + " version " + std::to_string(is) +
               ", this lastref reads version " + std::to_string(wanted);
    };
    if (got < sizeof(header)) {
        return error(got, "the header is cut off", "the file was not copied whole");
    }
    if (header.byte_order == __builtin_bswap32(trace::kByteOrderMark)) {
        return error(offsetof(PackedHeader, byte_order), "the trace has the other byte order",
                     "read it on a machine of the kind that wrote it");
    }
    if (header.version != kPackedVersion) {
        return error(offsetof(PackedHeader, version),
                     version("packed trace", header.version, kPackedVersion),
                     "use the lastref that packed it");
    }
    if (header.trace_version != trace::kTraceVersion) {
        return error(offsetof(PackedHeader, trace_version),
                     version("trace", header.trace_version, trace::kTraceVersion),
                     "use the lastref that packed it");
    }
    if (header.check != checksum(&header, kHeaderCheckAt) ||
        header.byte_order != trace::kByteOrderMark) {
        return error(kHeaderCheckAt, "the header is damaged", "copy the file again");
    }
    return nullptr;
}

}  // namespace

struct PackedSource::Unpacked {
    uint32_t segment = 0;
    std::unique_ptr<uint8_t[]> bytes;
};

bool PackedSource::is_packed(const ByteSource& stored) {
    char magic[sizeof(kPackedMagic)];
    return stored.read(0, magic, sizeof(magic)) == sizeof(magic) &&
           std::memcmp(magic, kPackedMagic, sizeof(magic)) == 0;
}

Result<std::unique_ptr<PackedSource>> PackedSource::open(std::unique_ptr<ByteSource> stored,
                                                         const std::string& path,
                                                         DamageList& damage) {
    std::unique_ptr<PackedSource> source(new PackedSource(std::move(stored)));
    const size_t got = source->stored_->read(0, &source->header_, sizeof(PackedHeader));
    if (const auto error = reject(source->header_, got, path)) return *error;
    source->index(damage);
    return source;
}

PackedSource::PackedSource(std::unique_ptr<ByteSource> stored) : stored_(std::move(stored)) {}
PackedSource::~PackedSource() = default;

void PackedSource::index(DamageList& damage) {
    uint64_t at = sizeof(PackedHeader);
    uint32_t found = 0;
    while (at < header_.packed_size) {
        uint64_t next = 0;
        std::string reason;
        const bool known = add_segment(at, next, reason);
        if (!reason.empty()) damage.add(at, reason);
        if (!known) break;  // the next one's begin is not known
        at = next;
        ++found;
    }
    if (found < header_.segments) {
        damage.add(at, std::to_string(header_.segments - found) + " of " +
                           std::to_string(header_.segments) + " segments are missing");
    }
    settle_pieces(damage);
}

// False where the segment's own header can't be used. `reason` says what is wrong with it.
bool PackedSource::add_segment(uint64_t offset, uint64_t& next, std::string& reason) {
    Segment segment{{}, offset};
    SegmentHeader& header = segment.header;
    const uint64_t left = stored_->size() - std::min(offset, stored_->size());
    if (stored_->read(offset, &header, sizeof(header)) < sizeof(header)) {
        reason = "the packed trace ends here, its header speaks of " +
                 std::to_string(header_.packed_size) + " bytes";
        return false;
    }
    const uint64_t head = sizeof(header) + uint64_t{header.entries} * sizeof(SegmentEntry);
    if (header.magic != kSegmentMagic || head > left) {
        reason = header.magic != kSegmentMagic ? "not a segment of a packed trace"
                                               : "the packed trace ends inside a segment's header";
        return false;
    }
    const std::vector<SegmentEntry> pieces = entries(segment);
    if (header.head_check != head_check(header, pieces)) {
        reason = "a segment's header is damaged";
        return false;
    }
    next = offset + head + header.body_size;
    const bool kind_known = header.kind == SegmentKind::kRecords ||
                            header.kind == SegmentKind::kNodes || header.kind == SegmentKind::kRaw;
    if (head + header.body_size > left) {
        reason = "the packed trace ends inside a segment";
    } else if (!kind_known || !entries_fit(header, pieces, header_.trace_size)) {
        reason = "a segment's header is impossible";
    } else if (!body_is_whole(segment)) {
        reason = "a segment is damaged";
    } else {
        uint64_t at = 0;
        for (size_t i = 0; i < pieces.size(); ++i) {
            pieces_.push_back({pieces[i].offset, piece_end(header.kind, pieces[i]),
                               static_cast<uint32_t>(segments_.size()), static_cast<uint32_t>(i),
                               at});
            at += pieces[i].header.committed;
        }
        segments_.push_back(segment);
        return true;
    }
    if (!pieces.empty()) {
        reason += "; what the trace holds from offset " + std::to_string(pieces.front().offset) +
                  " to " + std::to_string(piece_end(header.kind, pieces.back())) +
                  " is missing in part";
    }
    return true;
}

void PackedSource::settle_pieces(DamageList& damage) {
    std::sort(pieces_.begin(), pieces_.end(),
              [](const Piece& a, const Piece& b) { return a.offset < b.offset; });
    uint64_t end = 0;
    std::erase_if(pieces_, [&](const Piece& piece) {
        if (piece.offset < end) {
            damage.add(segments_[piece.segment].offset, "a segment overlaps another one");
            return true;
        }
        end = piece.end;
        return false;
    });
}

std::vector<SegmentEntry> PackedSource::entries(const Segment& segment) const {
    std::vector<SegmentEntry> found(segment.header.entries);
    const size_t wanted = found.size() * sizeof(SegmentEntry);
    const size_t got = stored_->read(segment.offset + sizeof(SegmentHeader), found.data(), wanted);
    if (got < wanted) found.resize(got / sizeof(SegmentEntry));
    return found;
}

bool PackedSource::body_is_whole(const Segment& segment) const {
    const uint64_t at = segment.offset + sizeof(SegmentHeader) +
                        uint64_t{segment.header.entries} * sizeof(SegmentEntry);
    std::vector<uint8_t> body(segment.header.body_size);
    return stored_->read(at, body.data(), body.size()) == body.size() &&
           checksum(body.data(), body.size()) == segment.header.body_check;
}

// Valid until the next call; nullptr where the segment can't be unpacked.
const uint8_t* PackedSource::unpacked(uint32_t number) const {
    const auto found = std::find_if(cache_.begin(), cache_.end(), [number](const Unpacked& cached) {
        return cached.segment == number;
    });
    if (found != cache_.end()) {
        std::rotate(found, found + 1, cache_.end());
        return cache_.back().bytes.get();
    }
    const Segment& segment = segments_[number];
    const std::vector<SegmentEntry> pieces = entries(segment);
    std::vector<uint8_t> body(segment.header.body_size);
    const uint64_t at = segment.offset + sizeof(SegmentHeader) +
                        uint64_t{segment.header.entries} * sizeof(SegmentEntry);
    // The file may have changed since it was checked.
    if (stored_->read(at, body.data(), body.size()) < body.size() ||
        head_check(segment.header, pieces) != segment.header.head_check) {
        return nullptr;
    }
    if (cache_.size() >= kCached) cache_.erase(cache_.begin());
    cache_.push_back({number, unpack_segment(segment.header, pieces, body)});
    return cache_.back().bytes.get();
}

// Copies [offset, offset + length) of the trace, which lies in the piece.
bool PackedSource::copy(const Piece& piece, uint64_t offset, uint8_t* to, size_t length) const {
    const Segment& segment = segments_[piece.segment];
    uint64_t inside = offset - piece.offset;
    if (segment.header.kind != SegmentKind::kRaw) {
        if (inside < sizeof(trace::ChunkHeader)) {
            const uint64_t header_at = segment.offset + sizeof(SegmentHeader) +
                                       uint64_t{piece.entry} * sizeof(SegmentEntry) +
                                       offsetof(SegmentEntry, header);
            const auto part = static_cast<size_t>(
                std::min<uint64_t>(length, sizeof(trace::ChunkHeader) - inside));
            if (stored_->read(header_at + inside, to, part) < part) return false;
            inside += part;
            to += part;
            length -= part;
        }
        inside -= sizeof(trace::ChunkHeader);
    }
    if (length == 0) return true;
    const std::lock_guard lock(mutex_);
    const uint8_t* const bytes = unpacked(piece.segment);
    if (bytes == nullptr) return false;
    std::memcpy(to, bytes + piece.at + inside, length);
    return true;
}

// The first that ends behind `offset`.
std::vector<Piece>::const_iterator PackedSource::piece_behind(uint64_t offset) const {
    return std::upper_bound(
        pieces_.begin(), pieces_.end(), offset,
        [](uint64_t wanted, const Piece& candidate) { return wanted < candidate.end; });
}

Extent PackedSource::data_at(uint64_t offset) const {
    auto piece = piece_behind(offset);
    if (piece == pieces_.end()) return {size(), size()};
    Extent data{std::max(offset, piece->offset), piece->end};
    while (++piece != pieces_.end() && piece->offset == data.end) data.end = piece->end;
    return data;
}

size_t PackedSource::read(uint64_t offset, void* to, size_t length) const {
    if (offset >= size()) return 0;
    length = static_cast<size_t>(std::min<uint64_t>(length, size() - offset));
    const uint64_t end = offset + length;
    auto* const bytes = static_cast<uint8_t*>(to);
    uint64_t at = offset;
    auto piece = piece_behind(offset);
    for (; piece != pieces_.end() && piece->offset < end; ++piece) {
        const uint64_t from = std::max(at, piece->offset);
        std::memset(bytes + (at - offset), 0, static_cast<size_t>(from - at));
        const uint64_t until = std::min(end, piece->end);
        if (!copy(*piece, from, bytes + (from - offset), static_cast<size_t>(until - from))) {
            return static_cast<size_t>(from - offset);
        }
        at = until;
    }
    std::memset(bytes + (at - offset), 0, static_cast<size_t>(end - at));
    return length;
}

}  // namespace lastref::packed
