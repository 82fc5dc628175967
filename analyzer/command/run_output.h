// Where a run's traces go: LASTREF_OUT for the shim, and the directory to look for them later.
#ifndef LASTREF_ANALYZER_COMMAND_RUN_OUTPUT_H
#define LASTREF_ANALYZER_COMMAND_RUN_OUTPUT_H

#include <string>

namespace lastref {

struct RunOutput {
    std::string pattern;    // absolute; may hold %p %e %n
    std::string directory;  // absolute
    std::string error;      // why it can't be used; empty where it can
};

// `output` as the user gave it, relative to the working directory; empty: the shim's default.
// Nothing is created, and an existing trace is never taken: it is an error.
RunOutput resolve_output(const std::string& output);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RUN_OUTPUT_H
