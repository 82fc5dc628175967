#include "read/chunk_index.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

namespace lastref {
namespace {

using namespace trace;

// Sorts by sequence, drops repeated ones and counts those that are missing.
void settle_log(Log& log, bool ring, DamageList& damage) {
    std::stable_sort(log.chunks.begin(), log.chunks.end(),
                     [](const Chunk& a, const Chunk& b) { return a.sequence < b.sequence; });
    std::vector<Chunk> kept;
    kept.reserve(log.chunks.size());
    uint64_t expected = 0;
    for (const Chunk& chunk : log.chunks) {
        if (chunk.sequence < expected) {
            damage.add(chunk.offset, "chunk " + std::to_string(chunk.sequence) + " of log " +
                                         std::to_string(log.id) + " is there twice");
            continue;
        }
        if (!ring) damage.add_missing_chunks(chunk.sequence - expected);
        expected = uint64_t{chunk.sequence} + 1;
        kept.push_back(chunk);
    }
    log.chunks = std::move(kept);
}

}  // namespace

UnitState judge(const ChunkHeader& header) {
    if (header.magic == 0) return UnitState::kNothing;
    const bool possible = header.magic == kChunkMagic && header.size >= kChunkUnit &&
                          header.size <= kMaxChunkSize && header.size % kChunkUnit == 0 &&
                          header.committed <= header.size - sizeof(ChunkHeader) &&
                          (header.kind == ChunkKind::kStacks ||
                           (header.kind == ChunkKind::kMeta && header.log == kMetaLog) ||
                           (header.kind == ChunkKind::kEvents && header.log != kMetaLog));
    return possible ? UnitState::kChunk : UnitState::kDamaged;
}

uint64_t end_of_chunks(const ByteSource& bytes, const TraceHeader& header, DamageList& damage) {
    const uint64_t end = header.chunks_end;
    if (end < kHeaderSize || end % kChunkUnit != 0) {
        damage.add(offsetof(TraceHeader, chunks_end), "the end of the chunks is not plausible");
        return bytes.size();
    }
    if (end > bytes.size()) {
        damage.add(bytes.size(),
                   "the file ends here, its header speaks of " + std::to_string(end) + " bytes");
        return bytes.size();
    }
    return end;
}

uint64_t next_unit(const ByteSource& bytes, uint64_t unit) {
    const uint64_t data = bytes.data_at(unit + kChunkUnit).begin;
    return std::max(unit + kChunkUnit, data / kChunkUnit * kChunkUnit);
}

ChunkIndex index_chunks(const ByteSource& bytes, const TraceHeader& trace_header,
                        DamageList& damage) {
    const uint64_t end = end_of_chunks(bytes, trace_header, damage);
    std::map<uint32_t, Log> logs;
    ChunkIndex index;
    bool skipping = false;  // one run of bad units is one damage
    for (uint64_t at = kHeaderSize; at < end;) {
        ChunkHeader header{};
        if (bytes.read(at, &header, sizeof(header)) < sizeof(header)) {
            if (!skipping) damage.add(at, "the file ends inside a chunk header");
            break;
        }
        const UnitState state = judge(header);
        if (state != UnitState::kChunk) {
            if (state == UnitState::kDamaged && !skipping) {
                damage.add(at, "not a chunk header");
                skipping = true;
            }
            at = next_unit(bytes, at);
            continue;
        }
        skipping = false;
        Chunk chunk{at + sizeof(header), header.committed,  header.sequence,
                    header.thread,       header.base_ticks, header.base_address};
        if (chunk.offset + chunk.committed > bytes.size()) {
            damage.add(bytes.size(), "the file ends inside a chunk");
            chunk.committed = static_cast<uint32_t>(bytes.size() - chunk.offset);
        }
        index.order_end = std::max(index.order_end, uint64_t{header.order} + 1);
        if (header.kind == ChunkKind::kStacks) {
            index.stacks.push_back(chunk);
        } else {
            Log& log = logs[header.log];
            log.id = header.log;
            log.chunks.push_back(chunk);
        }
        at += header.size;
    }

    for (auto& [id, log] : logs) {
        settle_log(log, trace_header.ring_size != 0, damage);
        index.logs.push_back(std::move(log));
    }
    std::stable_sort(index.stacks.begin(), index.stacks.end(), [](const Chunk& a, const Chunk& b) {
        return a.base_address < b.base_address;
    });
    return index;
}

}  // namespace lastref
