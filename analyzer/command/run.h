// `lastref run`: starts a program under the shim, waits, and says where its traces are.
#ifndef LASTREF_ANALYZER_COMMAND_RUN_H
#define LASTREF_ANALYZER_COMMAND_RUN_H

#include <functional>
#include <string>
#include <vector>

#include "command/launcher.h"
#include "command/run_traces.h"

namespace lastref {

struct RunOptions {
    std::string level;                 // empty: LASTREF_LEVEL, else paranoid
    std::vector<std::string> hooks;    // rule packs and files; empty: LASTREF_HOOKS
    bool strict_hooks = false;         // an error in them is a reason not to start
    std::string output;                // empty: LASTREF_OUT, else the shim's default name
    std::string ring;                  // keep the newest SIZE of events; empty: all
    unsigned timeout = 0;              // seconds until it is ended; 0: none
    bool unpooled = false;             // switch the known pools off
    std::vector<std::string> command;  // the program and its arguments
    // Called right before the program starts: what its traces will have in common, and their
    // folder.
    std::function<void(const RunId&, const std::string& directory)> starting;
};

struct RunOutcome {
    bool started = false;          // false: said on stderr why, nothing was run
    int status = 0;                // the program's exit status, 128 + N where signal N ended it
    ChildEnd end;                  // the same as the kernel reported it
    std::string level;             // recorded at
    RunId run_id = {};             // what its traces have in common
    std::string directory;         // where the traces were looked for
    std::vector<RunTrace> traces;  // oldest first
};
RunOutcome run_traced(const RunOptions& options);

// Returns the program's exit status, 128 + N where signal N ended it, or 2 where it could not be
// started (said in one line on stderr, nothing was run).
int run_command(const RunOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_RUN_H
