#include "gate/untraced.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/units.h"
#include "report/verdict.h"

namespace lastref {

UntracedCount count_untraced(std::span<const TracedProgram> programs) {
    UntracedCount count;
    uint64_t begun = 1;
    // Of each process the program that was not replaced by another, or else any.
    std::map<std::pair<int32_t, uint64_t>, size_t> last;
    bool has_parent = false;
    for (size_t i = 0; i < programs.size(); ++i) {
        const TracedProgram& program = programs[i];
        // A ring may have lost the begin of a child whose end is counted.
        const uint64_t children =
            program.children - std::min(program.children, program.without_trace);
        begun += children;
        if (children > 0 && !std::exchange(has_parent, true)) count.first_parent = i;
        const auto [at, fresh] = last.try_emplace({program.pid, program.process_start}, i);
        if (!fresh && programs[at->second].executes) at->second = i;
    }
    for (const auto& [process, program] : last) {
        if (programs[program].executes && count.replaced++ == 0) count.first_replaced = program;
    }
    if (has_parent && last.size() < begun) count.children = begun - last.size();
    return count;
}

std::vector<std::string> untraced_processes(const Report& report) {
    std::vector<TracedProgram> programs;
    for (const Process& process : report.processes) {
        programs.push_back({process.pid, process.process_start, process.exit == "exec",
                            process.forks, process.borrowers_ended + process.confined_children});
    }
    const UntracedCount count = count_untraced(programs);
    std::vector<std::string> said;
    if (count.replaced > 0)
        said.push_back(
            fmt::format("{} executed a program that left no trace, first {}: its environment was "
                        "cleaned, or it "
                        "is static or set-uid (--allow-untraced)",
                        counted(count.replaced, "process"),
                        process_label(report.processes[count.first_replaced])));
    uint64_t confined = 0;
    for (const Process& process : report.processes) confined += process.confined_children;
    if (confined > 0)
        said.push_back(fmt::format(
            "{} forked in a seccomp sandbox, where nothing is recorded (--allow-untraced; "
            "LASTREF_CONFINED=1 where the sandbox permits it)",
            counted(confined, "process")));
    if (count.children > 0)
        said.push_back(fmt::format(
            "{} begun by {}{} left no trace: the environment was cleaned, or the program is static "
            "or set-uid (--allow-untraced)",
            counted(count.children, "child process"),
            process_label(report.processes[count.first_parent]),
            report.processes.size() > 1 ? " or others" : ""));
    return said;
}

}  // namespace lastref
