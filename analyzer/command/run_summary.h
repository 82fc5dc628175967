// What `lastref run` says when the program has ended: at most ten lines.
#ifndef LASTREF_ANALYZER_COMMAND_RUN_SUMMARY_H
#define LASTREF_ANALYZER_COMMAND_RUN_SUMMARY_H

#include <string>
#include <vector>

#include "command/run_traces.h"

namespace lastref {

// `traces` oldest first, at least one. Ends with the path of the launched program's trace and the
// command that reports on all of them. `follows_children`: all processes were to be traced.
std::string run_summary(const std::vector<RunTrace>& traces, pid_t launched,
                        bool follows_children = true);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RUN_SUMMARY_H
