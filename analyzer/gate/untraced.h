// Processes that should have a trace and have none: a program that was started with a cleaned
// environment, a static or set-uid one, one that could not make its file.
#ifndef LASTREF_ANALYZER_GATE_UNTRACED_H
#define LASTREF_ANALYZER_GATE_UNTRACED_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// What the trace of a program says of its process. An executed program is the same process.
struct TracedProgram {
    int32_t pid = 0;
    uint64_t process_start = 0;
    bool executes = false;  // it ends with the execution of another program
    uint64_t children = 0;
    uint64_t without_trace = 0;  // of these, as they should be: see TraceHeader::borrowers_ended
                                 // and confined_children
};

struct UntracedCount {
    uint64_t children = 0;    // begun, but without a trace
    size_t first_parent = 0;  // index of a program that began some
    uint64_t replaced = 0;    // processes whose last program has no trace
    size_t first_replaced = 0;
};

// Children are counted, since not every way to make one returns its id; a child of vfork that could
// not execute anything counts as missing. One process is begun by nobody.
UntracedCount count_untraced(std::span<const TracedProgram> programs);

// One sentence for each way in which processes are missing.
std::vector<std::string> untraced_processes(const Report& report);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_UNTRACED_H
