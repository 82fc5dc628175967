// Opens a trace, plain or packed: what everything behind the reader calls. The reader itself knows
// of plain traces only.
#ifndef LASTREF_ANALYZER_PACK_OPEN_TRACE_H
#define LASTREF_ANALYZER_PACK_OPEN_TRACE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "read/result.h"
#include "read/trace_file.h"

namespace lastref {

// Errors: those of TraceFile::read, of PackedSource::open, and a file that can't be read.
Result<std::unique_ptr<TraceFile>> open_trace(const std::string& path);
// The same from memory; `name` stands for the path in messages.
Result<std::unique_ptr<TraceFile>> open_trace(std::vector<uint8_t> bytes, const std::string& name);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_PACK_OPEN_TRACE_H
