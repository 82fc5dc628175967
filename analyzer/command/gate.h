// `lastref gate`: runs a command, judges all its traces, proves by a planted control that it could
// have failed, and says pass or not by its exit status.
//
// Two processes: the one that the caller knows makes a folder for temporary files, starts the other
// and removes the folder when that has ended, however it ended. So signals leave nothing behind.
#ifndef LASTREF_ANALYZER_COMMAND_GATE_H
#define LASTREF_ANALYZER_COMMAND_GATE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "symbols/symbol_places.h"

namespace lastref {

struct GateOptions {
    std::vector<std::string> command;
    std::string level = "paranoid";
    std::vector<std::string> hooks;
    unsigned timeout = 0;  // seconds; 0: none
    bool keep_going = false;
    std::string traces;  // a folder in which to keep the traces; empty: they are removed

    SymbolPlaces symbols;

    std::string baseline;
    bool update_baseline = false;
    std::vector<std::string> suppressions;
    std::vector<std::string> budgets;
    std::vector<std::string> kinds;
    double min_confidence = 0;
    double min_coverage = 0.95;
    uint64_t min_count = 1;
    bool system = false;
    std::vector<std::string> system_folders;
    bool strict = false;
    bool allow_untraced = false;
    // The outputs to write: a format's name (report/formats.h) and a file, '-' for standard output.
    std::vector<std::pair<std::string, std::string>> outputs;
};

// Returns 0 pass, 1 new leaks or a budget exceeded, 2 wrong usage or an output that can't be
// written, 3 inconclusive; the command's own status where that is not 0, unless keep_going; 124
// where its time was over; 128 + N where signal N was sent to end the gate.
int gate_command(const GateOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_GATE_H
