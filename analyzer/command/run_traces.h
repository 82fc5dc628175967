// The trace files that one `lastref run` made: finds them, completes their headers, adds them up.
//
// Only headers and chunk headers are read, never records: a run must not end with an analysis.
#ifndef LASTREF_ANALYZER_COMMAND_RUN_TRACES_H
#define LASTREF_ANALYZER_COMMAND_RUN_TRACES_H

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command/launcher.h"
#include "trace_format.h"

namespace lastref {

using RunId = std::array<uint8_t, sizeof(trace::TraceHeader::run_id)>;

struct RunTrace {
    std::string path;
    RunId run_id = {};
    pid_t pid = 0;
    uint64_t process_start = 0;
    std::string program;   // its file's path
    std::string executed;  // the program that it executed in the end, where that is known
    uint64_t children = 0, borrowers_ended = 0, confined_children = 0;
    std::string said;  // the shim's first message
    bool said_aloud = false;
    uint64_t started_ns = 0;
    uint64_t bytes = 0;  // of the file that hold something
    trace::ExitKind exit_kind = trace::ExitKind::kNone;
    bool is_alive = false;    // its process is still there, or may be
    bool is_running = false;  // and has not said how it ends
    std::array<uint64_t, static_cast<size_t>(trace::Loss::kCount)> lost = {};
};

// What the header of the trace at `path` says; nothing for any other file.
std::optional<RunTrace> read_run_trace(const std::string& path);

// Every trace of this run in `directory`, oldest first.
std::vector<RunTrace> find_run_traces(const std::string& directory, const RunId& run_id);

// The longest beginning of a path that all these traces have in common and no other file beside
// them has: a shell pattern for exactly them, without its '*'. Empty where there is none.
std::string common_prefix(const std::vector<RunTrace>& traces);

// Writes how the launched process ended into its newest trace, where that does not say so: a
// process killed from outside can't.
void record_end(std::vector<RunTrace>& traces, const ChildEnd& end);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RUN_TRACES_H
