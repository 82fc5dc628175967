// What /proc/PID/stat says of a process that lives, or has ended and is not yet waited for.
#ifndef LASTREF_ANALYZER_READ_PROCESS_STAT_H
#define LASTREF_ANALYZER_READ_PROCESS_STAT_H

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace lastref {

struct ProcessStat {
    char state = 0;  // field 3: R, S, D, ... Z: ended, not yet waited for; X: dead
    uint64_t start =
        0;  // field 22, clock ticks since boot: with the pid it names a process for good
};

// Nothing where there is no such process, also where it goes away meanwhile. Any thread.
std::optional<ProcessStat> process_stat(pid_t pid);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_PROCESS_STAT_H
