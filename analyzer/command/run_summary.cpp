#include "command/run_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/units.h"

namespace lastref {
namespace {

constexpr size_t kPathsInCommand = 4;

const char* loss_name(trace::Loss loss) {
    switch (loss) {
        case trace::Loss::kNoSpace:
            return "no space for the trace file";
        case trace::Loss::kSizeLimit:
            return "the size limit was reached";
        case trace::Loss::kNested:
            return "signal handlers nested too deep";
        case trace::Loss::kContended:
            return "a lock was not to be had in time";
        case trace::Loss::kSandbox:
            return "the program's sandbox";
        case trace::Loss::kNoMemory:
            return "no memory for the shim";
        case trace::Loss::kNoFile:
            return "the trace file was out of reach";
        case trace::Loss::kCount:
            break;
    }
    return "another reason";
}

std::string losses(const std::vector<RunTrace>& traces) {
    std::string text;
    for (size_t loss = 0; loss < static_cast<size_t>(trace::Loss::kCount); ++loss) {
        uint64_t lost = 0;
        for (const RunTrace& trace : traces) lost += trace.lost[loss];
        if (lost == 0) continue;
        text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", lost,
                            loss_name(static_cast<trace::Loss>(loss)));
    }
    return text;
}

// Fit to be pasted into a shell.
std::string quoted(const std::string& path) {
    static constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";
    if (path.find_first_not_of(kPlain) == std::string::npos) return path;
    std::string text = "'";
    for (char letter : path) text += letter == '\'' ? "'\\''" : std::string(1, letter);
    return text + "'";
}

}  // namespace

std::string run_summary(const std::vector<RunTrace>& traces, pid_t launched) {
    uint64_t bytes = 0, still_running = 0;
    std::vector<pid_t> processes;
    const RunTrace* first = &traces.front();
    for (const RunTrace& trace : traces) {
        bytes += trace.bytes;
        still_running += trace.is_running;
        processes.push_back(trace.pid);
        if (trace.pid == launched && first->pid != launched) first = &trace;
    }
    std::sort(processes.begin(), processes.end());
    auto count = std::unique(processes.begin(), processes.end()) - processes.begin();

    std::string text = fmt::format("lastref: {} recorded, {} of trace in {}\n",
                                   counted(static_cast<uint64_t>(count), "process"),
                                   bytes_text(bytes), counted(traces.size(), "file"));
    if (std::string lost = losses(traces); !lost.empty())
        text += fmt::format("lastref: incomplete: events lost: {}\n", lost);
    if (still_running > 0)
        text += fmt::format("lastref: {} still running: a report sees what was recorded so far\n",
                            counted(still_running, "process"));
    std::string command = quoted(first->path);
    if (traces.size() <= kPathsInCommand) {
        for (const RunTrace& trace : traces)
            if (&trace != first) command += ' ' + quoted(trace.path);
    } else if (std::string prefix = common_prefix(traces); !prefix.empty()) {
        command = quoted(prefix) + '*';
    } else {
        text += "lastref: the other traces are beside this one\n";
    }
    text += fmt::format("trace: {}\n", printable(first->path));
    text += fmt::format("lastref report {}\n", command);
    return text;
}

}  // namespace lastref
