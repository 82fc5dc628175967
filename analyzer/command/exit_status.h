// What the commands return to the shell besides 0 (doc/tracing.md, Exit status). The gate's own
// meanings are in gate.cpp.
#ifndef LASTREF_ANALYZER_COMMAND_EXIT_STATUS_H
#define LASTREF_ANALYZER_COMMAND_EXIT_STATUS_H

#include <string_view>

#include "command/say.h"

namespace lastref {

inline constexpr int kUsage = 2;       // wrong usage, or an output that can't be written
inline constexpr int kUnreadable = 3;  // a trace that can't be read

// Says why on stderr, and returns `status`.
inline int fail(int status, std::string_view reason) {
    say("lastref: {}\n", reason);
    return status;
}

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_EXIT_STATUS_H
