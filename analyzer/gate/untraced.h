// Processes that should have a trace and have none: a program that was started with a cleaned
// environment, a static or set-uid one, one that could not make its file.
#ifndef LASTREF_ANALYZER_GATE_UNTRACED_H
#define LASTREF_ANALYZER_GATE_UNTRACED_H

#include <string>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// One sentence for each way in which processes are missing. Children are counted, since not every
// way to make one returns its id; a child of vfork that could not execute anything counts as
// missing.
std::vector<std::string> untraced_processes(const Report& report);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_UNTRACED_H
