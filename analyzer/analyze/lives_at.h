// The lives that buffers had at one address, as recorded in the trace: `lastref report --buffer`.
#ifndef LASTREF_ANALYZER_ANALYZE_LIVES_AT_H
#define LASTREF_ANALYZER_ANALYZE_LIVES_AT_H

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/findings.h"
#include "analyze/life_history.h"
#include "analyze/stack_names.h"
#include "read/trace_file.h"

namespace lastref {

// Newest first; at most the newest kMostLivesAt. Reads the whole trace. A life that moves is
// followed to its new address.
inline constexpr size_t kMostLivesAt = 64;
std::vector<LifeAt> lives_at(uint64_t address, TraceFile& trace, FrameSource& frames);

// A record of a life in words.
HistoryEvent history_event(const HistoryRecord& record, TraceFile& trace, StackNames& names);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_LIVES_AT_H
