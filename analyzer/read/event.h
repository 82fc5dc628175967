// One decoded record of a trace: what the reader hands to everything behind it.
#ifndef LASTREF_ANALYZER_READ_EVENT_H
#define LASTREF_ANALYZER_READ_EVENT_H

#include <cstdint>

#include "trace_format.h"

namespace lastref {

// Fields that the op does not have are zero. Texts and strings are indexes into
// TraceFile::strings(), so that an event stays small and copyable.
struct Event {
    uint64_t ticks = 0;  // TraceFile::to_ns() turns them into nanoseconds
    uint64_t address = 0;
    uint64_t other = 0;  // old address (realloc, mremap), target (move)
    uint64_t size = 0;
    uint64_t other_size = 0;
    int64_t value = 0;
    uint32_t detail = 0;
    uint32_t stack = 0;   // the same id for equal stacks; 0: none was taken
    uint32_t string = 0;  // type, hint or phase
    uint32_t thread = 0;  // ordinal; TraceFile::threads() has name and kernel id
    uint32_t log = 0;
    trace::Op op = trace::Op::kInvalid;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_EVENT_H
