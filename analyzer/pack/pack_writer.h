// A plain trace to a packed one, and back.
//
// Both work on a trace that nobody writes to any more, and stream: memory is bounded by a few
// segments. Packing keeps all that a reader can see, damage included, and reads back and compares
// what it wrote before it calls it done.
#ifndef LASTREF_ANALYZER_PACK_PACK_WRITER_H
#define LASTREF_ANALYZER_PACK_PACK_WRITER_H

#include <cstdint>
#include <functional>
#include <string>

#include "pack/packed_source.h"
#include "read/byte_source.h"
#include "read/result.h"

namespace lastref::packed {

using PackProgress = std::function<void(double share)>;  // from 0 to 1

// Writes the packed form of `plain`, which begins with a whole TraceHeader, to the empty file
// `descriptor`. Returns its size. `path` and `output` stand in messages. Packs on all cores.
Result<uint64_t> pack_trace(const ByteSource& plain, const std::string& path, int descriptor,
                            const std::string& output, const PackProgress& progress);

// Writes the plain form to the empty file `descriptor`; what is zero is left as a hole. Returns its
// size.
Result<uint64_t> unpack_trace(const PackedSource& packed, const std::string& path, int descriptor,
                              const std::string& output, const PackProgress& progress);

}  // namespace lastref::packed

#endif  // LASTREF_ANALYZER_PACK_PACK_WRITER_H
