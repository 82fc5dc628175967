#include "gate/untraced.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/units.h"
#include "report/verdict.h"

namespace lastref {

std::vector<std::string> untraced_processes(const Report& report) {
    uint64_t begun = 1;  // the command itself
    uint64_t confined = 0;
    std::map<std::pair<int32_t, uint64_t>, const Process*> newest;  // the last program of each
    const Process* parent = nullptr;
    for (const Process& process : report.processes) {
        // A ring may have lost the begin of a child whose end is counted.
        const uint64_t forks =
            process.forks -
            std::min(process.forks, process.borrowers_ended + process.confined_children);
        confined += process.confined_children;
        begun += forks;
        if (forks > 0 && !parent) parent = &process;
        const Process*& last = newest[{process.pid, process.process_start}];
        if (!last || last->exit == "exec" || last->started <= process.started) {
            if (!last || process.exit != "exec" || last->exit == "exec") last = &process;
        }
    }
    std::vector<std::string> said;
    uint64_t replaced = 0;
    const Process* example = nullptr;
    for (const auto& [id, process] : newest) {
        if (process->exit != "exec") continue;
        ++replaced;
        if (!example) example = process;
    }
    if (replaced > 0)
        said.push_back(
            fmt::format("{} executed a program that left no trace, first {}: its environment was "
                        "cleaned, or it "
                        "is static or set-uid (--allow-untraced)",
                        counted(replaced, "process"), process_label(*example)));
    if (confined > 0)
        said.push_back(fmt::format(
            "{} forked in a seccomp sandbox, where nothing is recorded (--allow-untraced; "
            "LASTREF_CONFINED=1 where the sandbox permits it)",
            counted(confined, "process")));
    if (parent && newest.size() < begun)
        said.push_back(fmt::format(
            "{} begun by {}{} left no trace: the environment was cleaned, or the program is static "
            "or set-uid (--allow-untraced)",
            counted(begun - newest.size(), "child process"), process_label(*parent),
            report.processes.size() > 1 ? " or others" : ""));
    return said;
}

}  // namespace lastref
