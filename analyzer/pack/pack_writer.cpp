#include "pack/pack_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <future>
#include <span>
#include <thread>
#include <utility>

#include "pack/segment.h"
#include "read/chunk_index.h"
#include "read/varint.h"

namespace lastref::packed {
namespace {

using namespace trace;

// Entries are for logs, too; see BlockModel::kMaxLogs.
constexpr size_t kMaxEntries = 1u << 14;

bool is_zero(std::span<const uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// Writes a file from its beginning on.
class Output {
public:
    Output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

    bool write(uint64_t at, std::span<const uint8_t> bytes) {
        while (!bytes.empty()) {
            const ssize_t done =
                ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) {
                failed_with_ = errno;
                return false;
            }
            at += static_cast<uint64_t>(done);
            bytes = bytes.subspan(static_cast<size_t>(done));
        }
        return true;
    }
    bool set_size(uint64_t size) {
        if (::ftruncate(descriptor_, static_cast<off_t>(size)) == 0) return true;
        failed_with_ = errno;
        return false;
    }
    Error error() const {
        return {name_, 0, std::string("cannot be written: ") + std::strerror(failed_with_), ""};
    }
    // The same file, for reading.
    Result<std::unique_ptr<ByteSource>> reopen() const {
        return ByteSource::open("/proc/self/fd/" + std::to_string(descriptor_));
    }

private:
    const int descriptor_;
    const std::string name_;
    int failed_with_ = 0;
};

// Calls `visit(kind, entry)` for every piece of the trace, in order, until it returns false.
// `plain` is seen as index_chunks() sees it: what is no whole chunk is kept as it is, page by page.
template <typename Visit>
bool visit_pieces(const ByteSource& plain, Visit&& visit) {
    const auto raw = [&](uint64_t offset, uint64_t size) {
        SegmentEntry entry{offset, {}};
        entry.header.committed = static_cast<uint32_t>(size);
        return visit(SegmentKind::kRaw, entry);
    };
    TraceHeader header{};
    plain.read(0, &header, sizeof(header));
    DamageList told_by_the_reader;
    const uint64_t end = end_of_chunks(plain, header, told_by_the_reader);
    if (!raw(0, kHeaderSize)) return false;
    for (uint64_t at = kHeaderSize; at < end;) {
        SegmentEntry entry{at, {}};
        const size_t got = plain.read(at, &entry.header, sizeof(ChunkHeader));
        const bool chunk = got == sizeof(ChunkHeader) && judge(entry.header) == UnitState::kChunk &&
                           at + sizeof(ChunkHeader) + entry.header.committed <= plain.size();
        if (chunk) {
            const bool stacks = entry.header.kind == ChunkKind::kStacks;
            if (!visit(stacks ? SegmentKind::kNodes : SegmentKind::kRecords, entry)) return false;
            at += entry.header.size;
            continue;
        }
        uint8_t page[kChunkUnit];
        const size_t size = plain.read(at, page, sizeof(page));
        if (!is_zero({page, size}) && !raw(at, size)) return false;
        at = next_unit(plain, at);
    }
    if (header.names_size == 0 || header.names_offset < end) return true;
    const uint64_t names_end = std::min(plain.size(), header.names_offset + header.names_size);
    for (uint64_t at = header.names_offset; at < names_end; at += kChunkUnit) {
        if (!raw(at, std::min<uint64_t>(kChunkUnit, names_end - at))) return false;
    }
    return true;
}

// Gathers pieces into segments and has these packed side by side.
class Packer {
public:
    Packer(const ByteSource& plain, Output& output) : plain_(plain), output_(output) {
        groups_[kNodes].kind = SegmentKind::kNodes;
        groups_[kMeta].kind = groups_[kEvents].kind = SegmentKind::kRecords;
        most_at_once_ = std::max(1u, std::thread::hardware_concurrency());
    }

    // False where the output can't be written, or the trace not read.
    bool add(SegmentKind kind, const SegmentEntry& entry) {
        const Group group = kind == SegmentKind::kRaw               ? kRaw
                            : kind == SegmentKind::kNodes           ? kNodes
                            : entry.header.kind == ChunkKind::kMeta ? kMeta
                                                                    : kEvents;
        const size_t size = entry.header.committed;
        SegmentContents* to = &groups_[group];
        if (to->bytes.size() + size > kSegmentSize || to->entries.size() >= kMaxEntries) {
            if (!close_segments()) return false;
        }
        const uint64_t from = piece_end(kind, entry) - size;
        const size_t at = to->bytes.size();
        to->bytes.resize(at + size);
        to->entries.push_back(entry);
        changed_ = plain_.read(from, to->bytes.data() + at, size) < size;
        return !changed_;
    }

    bool finish() {
        if (!close_segments()) return false;
        while (!packing_.empty()) {
            if (!write_oldest()) return false;
        }
        PackedHeader header{};
        std::memcpy(header.magic, kPackedMagic, sizeof(kPackedMagic));
        header.version = kPackedVersion;
        header.byte_order = kByteOrderMark;
        header.trace_version = kTraceVersion;
        header.segments = segments_;
        header.trace_size = plain_.size();
        header.packed_size = at_;
        header.check = checksum(&header, offsetof(PackedHeader, check));
        return output_.write(0, {reinterpret_cast<const uint8_t*>(&header), sizeof(header)});
    }

    uint64_t packed_size() const { return at_; }
    bool trace_changed() const { return changed_; }

private:
    // All are closed together, the events last: what a file that was cut off still holds of them
    // finds its stacks and modules.
    enum Group { kRaw, kNodes, kMeta, kEvents, kGroups };

    bool close_segments() {
        for (SegmentContents& group : groups_) {
            if (group.entries.empty()) continue;
            if (packing_.size() >= most_at_once_ && !write_oldest()) return false;
            SegmentContents contents = std::exchange(group, {group.kind, {}, {}});
            contents.bytes.resize(contents.bytes.size() + kDecodePadding);
            packing_.push_back(std::async(std::launch::async, [contents = std::move(contents)] {
                return pack_segment(contents);
            }));
        }
        return true;
    }

    bool write_oldest() {
        const std::vector<uint8_t> segment = packing_.front().get();
        packing_.pop_front();
        if (!output_.write(at_, segment)) return false;
        at_ += segment.size();
        ++segments_;
        return true;
    }

    const ByteSource& plain_;
    Output& output_;
    SegmentContents groups_[kGroups];
    std::deque<std::future<std::vector<uint8_t>>> packing_;
    size_t most_at_once_ = 1;
    uint64_t at_ = sizeof(PackedHeader);
    uint32_t segments_ = 0;
    bool changed_ = false;
};

// True if both sources hold the same in [offset, end).
bool same_bytes(const ByteSource& a, const ByteSource& b, uint64_t offset, uint64_t end) {
    std::vector<uint8_t> of_a(static_cast<size_t>(end - offset)), of_b(of_a.size());
    return a.read(offset, of_a.data(), of_a.size()) == of_a.size() &&
           b.read(offset, of_b.data(), of_b.size()) == of_b.size() && of_a == of_b;
}

Error changed(const std::string& path, uint64_t offset) {
    return {path, offset, "the trace changed while it was packed",
            "pack it when its program is done"};
}

// Where the packed file differs from the trace.
std::unique_ptr<Error> verify(const ByteSource& plain, const std::string& path,
                              const Output& output, const PackProgress& progress) {
    Result<std::unique_ptr<ByteSource>> stored = output.reopen();
    if (!stored) return std::make_unique<Error>(stored.error());
    DamageList damage;
    Result<std::unique_ptr<PackedSource>> packed =
        PackedSource::open(std::move(*stored), path, damage);
    if (!packed) return std::make_unique<Error>(packed.error());
    uint64_t differs_at = damage.empty() ? UINT64_MAX : 0;
    const auto matches = [&](SegmentKind kind, const SegmentEntry& entry) {
        progress(0.8 + 0.2 * static_cast<double>(entry.offset) / static_cast<double>(plain.size()));
        const uint64_t end = piece_end(kind, entry);
        if (same_bytes(plain, **packed, entry.offset, end)) return true;
        differs_at = entry.offset;
        return false;
    };
    if (differs_at != 0) visit_pieces(plain, matches);
    if (differs_at == UINT64_MAX) return nullptr;
    return std::make_unique<Error>(changed(path, differs_at));
}

}  // namespace

Result<uint64_t> pack_trace(const ByteSource& plain, const std::string& path, int descriptor,
                            const std::string& output_path, const PackProgress& progress) {
    Output output(descriptor, output_path);
    Packer packer(plain, output);
    uint64_t at = 0;
    const bool packed = visit_pieces(plain, [&](SegmentKind kind, const SegmentEntry& entry) {
        progress(0.8 * static_cast<double>(entry.offset) / static_cast<double>(plain.size()));
        at = entry.offset;
        return packer.add(kind, entry);
    });
    if (packer.trace_changed()) return changed(path, at);
    if (!packed || !packer.finish()) return output.error();
    if (const auto error = verify(plain, path, output, progress)) return *error;
    return packer.packed_size();
}

Result<uint64_t> unpack_trace(const PackedSource& packed, const std::string& path, int descriptor,
                              const std::string& output_path, const PackProgress& progress) {
    Output output(descriptor, output_path);
    std::vector<uint8_t> bytes;
    for (const Piece& piece : packed.pieces()) {
        progress(static_cast<double>(piece.offset) / static_cast<double>(packed.size()));
        bytes.resize(static_cast<size_t>(piece.end - piece.offset));
        if (packed.read(piece.offset, bytes.data(), bytes.size()) < bytes.size()) {
            return Error{path, piece.offset, "cannot be unpacked", "the file is damaged"};
        }
        if (!output.write(piece.offset, bytes)) return output.error();
    }
    if (!output.set_size(packed.size())) return output.error();
    return packed.size();
}

}  // namespace lastref::packed
