// `lastref pack` and `lastref unpack`: a finished trace to its compressed form, and back. Called by
// main.cpp after argument parsing.
#ifndef LASTREF_ANALYZER_COMMAND_PACK_H
#define LASTREF_ANALYZER_COMMAND_PACK_H

#include <string>

namespace lastref {

struct PackOptions {
    std::string trace;
    std::string output;  // empty: TRACE.packed; for unpack TRACE without it
};

// Both return the exit status: 0; 2 where the output exists or can't be written, or the trace is
// not of the kind that the verb takes; 3 for a trace that can't be read. The reason is on stderr.
// A trace whose process still runs is not packed. The input is never changed.
int pack_command(const PackOptions& options);
int unpack_command(const PackOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_PACK_H
