#include "read/exit_state.h"

#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "read/process_stat.h"

namespace lastref {
namespace {

// Pids are reused: the same pid with the same start time, in clock ticks since boot, is the same
// process, unless the machine was booted since. A later boot shows where its clock has not yet
// come to the trace's start.
bool still_runs(const trace::TraceHeader& header) {
    if (header.pid <= 0 || header.process_start == 0) return false;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_ns =
        static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
    if (header.start_monotonic_ns > now_ns) return false;

    const std::optional<ProcessStat> stat = process_stat(header.pid);
    return stat && stat->state != 'Z' && stat->state != 'X' && stat->start == header.process_start;
}

}  // namespace

ExitState exit_state(const trace::TraceHeader& header) {
    switch (header.exit_kind) {
        case trace::ExitKind::kStatus:
            return {"status " + std::to_string(header.exit_value), true};
        case trace::ExitKind::kSignal:
            return {"signal " + std::to_string(header.exit_value), false};
        case trace::ExitKind::kExec:
            return {"exec", true};
        default:
            return {still_runs(header) ? "running" : "unknown", false};
    }
}

}  // namespace lastref
