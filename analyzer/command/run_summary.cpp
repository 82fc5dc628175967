#include "command/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "command/program_file.h"
#include "gate/untraced.h"
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

std::string label(const RunTrace& trace) {
    return fmt::format("{} (pid {})", printable(base_name(trace.program)), trace.pid);
}

// Which processes of the run have no trace, as far as those that have one know of them.
std::string untraced(const std::vector<RunTrace>& traces) {
    static constexpr const char* kWhy =
        "static, set-uid, musl or 32-bit programs, a cleaned environment, or no place for the "
        "trace";
    std::vector<TracedProgram> programs;
    for (const RunTrace& trace : traces) {
        programs.push_back({trace.pid, trace.process_start,
                            trace.exit_kind == trace::ExitKind::kExec, trace.children,
                            trace.borrowers_ended + trace.confined_children});
    }
    const UntracedCount count = count_untraced(programs);
    std::string text;
    if (count.replaced > 0) {
        const RunTrace& first = traces[count.first_replaced];
        std::string why;
        if (first.executed.starts_with('/')) why = why_not_traceable(first.executed);
        text += fmt::format("lastref: {} executed a program that left no trace, first {}: {}\n",
                            counted(count.replaced, "process"), label(first),
                            why.empty() ? kWhy : printable(first.executed + ' ' + why));
    }
    if (count.children > 0)
        text += fmt::format("lastref: {} left no trace, first begun by {}: {}\n",
                            counted(count.children, "child process"),
                            label(traces[count.first_parent]), kWhy);
    return text;
}

// What the shim could not say to the user itself: see shim/messages.h. One of them stands for all.
std::string message(const std::vector<RunTrace>& traces) {
    std::set<std::string> known;
    for (const RunTrace& trace : traces)
        if (trace.said_aloud) known.insert(trace.said);
    const RunTrace* first = nullptr;
    uint64_t more = 0;
    for (const RunTrace& trace : traces) {
        if (trace.said.empty() || !known.insert(trace.said).second) continue;
        if (first)
            ++more;
        else
            first = &trace;
    }
    if (!first) return {};
    return fmt::format(
        "lastref: {}: {}{}\n", label(*first), printable(first->said),
        more == 0 ? "" : fmt::format(" ({}: lastref info)", counted(more, "other message")));
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

std::string run_summary(const std::vector<RunTrace>& traces, pid_t launched,
                        bool follows_children) {
    uint64_t bytes = 0, still_running = 0, confined = 0;
    std::vector<pid_t> processes;
    const RunTrace* first = &traces.front();
    for (const RunTrace& trace : traces) {
        bytes += trace.bytes;
        still_running += trace.is_running;
        confined += trace.confined_children;
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
    if (follows_children) text += untraced(traces);
    if (confined > 0)
        text += fmt::format("lastref: {} forked in a seccomp sandbox: not recorded\n",
                            counted(confined, "process"));
    text += message(traces);
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
