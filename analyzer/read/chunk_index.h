// Where the chunks of a trace file are, by log: built once, when the file is opened.
//
// Trusts no header: one that is impossible is damage, and the scan goes on at the next
// multiple of kChunkUnit that holds a chunk magic (LAYOUT in trace_format.h). What a log's
// `sequence` leaves out is counted as missing chunks.
#ifndef LASTREF_ANALYZER_READ_CHUNK_INDEX_H
#define LASTREF_ANALYZER_READ_CHUNK_INDEX_H

#include <cstdint>
#include <vector>

#include "read/byte_source.h"
#include "read/damage.h"
#include "trace_format.h"

namespace lastref {

struct Chunk {
    uint64_t offset = 0;     // of the payload's first byte in the file
    uint32_t committed = 0;  // payload bytes to read; cut where the file ends early
    uint32_t sequence = 0;
    uint32_t thread = 0;
    uint64_t base_ticks = 0;
    uint64_t base_address = 0;  // kStacks: id of the first stack defined
};

// Chunks of one log in the order they were written.
struct Log {
    uint32_t id = 0;
    std::vector<Chunk> chunks;
};

struct ChunkIndex {
    std::vector<Log> logs;      // by id; kMetaLog first where it exists
    std::vector<Chunk> stacks;  // by the first id that each defines
    uint64_t order_end = 0;     // one more than the highest ChunkHeader::order
};

// What a kChunkUnit of the file begins with. A magic of zero is a chunk that its process did not
// live to make, or reserved space.
enum class UnitState { kChunk, kNothing, kDamaged };
UnitState judge(const trace::ChunkHeader& header);

// Where the chunks end: beyond is reserved space. Where the header's word for it can't be, or the
// file ends before, it is the file's end.
uint64_t end_of_chunks(const ByteSource& bytes, const trace::TraceHeader& header,
                       DamageList& damage);

// The next unit that may begin with a chunk, behind one that does not: what holds no data is left
// out.
uint64_t next_unit(const ByteSource& bytes, uint64_t unit);

ChunkIndex index_chunks(const ByteSource& bytes, const trace::TraceHeader& header,
                        DamageList& damage);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_CHUNK_INDEX_H
