// What limits the verdicts on one trace: how it ended and what of it is missing.
#ifndef LASTREF_ANALYZER_ANALYZE_TRACE_FACTS_H
#define LASTREF_ANALYZER_ANALYZE_TRACE_FACTS_H

#include <cstdint>
#include <set>

#include "analyze/estimate.h"
#include "analyze/hook_facts.h"
#include "analyze/libc_data.h"

namespace lastref {

struct TraceFacts {
    uint64_t process = 0;       // index into Report::processes
    bool orderly_exit = false;  // it ended by itself, so what was live then was kept
    // Threads that were not in the middle of anything then; empty where that is not known.
    std::set<uint32_t> threads_at_rest;
    uint64_t lost = 0;  // events missing at most; UINT64_MAX where nobody counted them
    uint64_t first_ticks = 0;
    uint64_t last_ticks = 0;
    uint64_t ticks_per_second = 0;
    bool heap_in_part = false;  // see HeapGaps: no verdict on heap blocks
    Sampling sampling;
    bool counts_known = true;  // retains and releases were recorded (not at level simple)
    HookFacts hooks;
    LibcData libc;
    uint64_t recent_ticks = UINT64_MAX;  // from here on are a killed process' last moments
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_TRACE_FACTS_H
