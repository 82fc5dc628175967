// How the traced process ended, or that it still runs.
#ifndef LASTREF_ANALYZER_READ_EXIT_STATE_H
#define LASTREF_ANALYZER_READ_EXIT_STATE_H

#include <string>

#include "trace_format.h"

namespace lastref {

struct ExitState {
    std::string text;      // "status N", "signal N", "exec", "running" or "unknown"
    bool orderly = false;  // it ended by its own will: what is live then was kept
};

// Reads the header's own word; without one, asks /proc whether that very process still lives.
ExitState exit_state(const trace::TraceHeader& header);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_EXIT_STATE_H
