// `lastref info`: what a trace file holds, as text on standard output: header, exit, counters by
// op, losses, damage, modules and threads. Called by main.cpp after argument parsing.
#ifndef LASTREF_ANALYZER_COMMAND_INFO_H
#define LASTREF_ANALYZER_COMMAND_INFO_H

#include <string>

namespace lastref {

struct InfoOptions {
    std::string trace;  // path of the trace file
};

// Returns the exit status: 0, or 3 for an unreadable trace (said on stderr).
int info_command(const InfoOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_INFO_H
