// `lastref events`: every record of one trace in time order, as JSON lines on standard output.
//
// The lines are specified in doc/reports.md, Event lines. Called by main.cpp after argument
// parsing.
#ifndef LASTREF_ANALYZER_COMMAND_EVENTS_H
#define LASTREF_ANALYZER_COMMAND_EVENTS_H

#include <cstdint>
#include <optional>
#include <string>

#include "symbols/symbol_places.h"

namespace lastref {

struct EventsOptions {
    std::string trace;               // path of the trace file
    std::optional<uint64_t> buffer;  // --buffer ADDR: only records about this address
    SymbolPlaces symbols;
    bool stacks = false;  // --stacks: "stack" is an array of FRAME, not an id
};

// Returns the exit status: 0, or 3 for an unreadable trace (said on stderr). A reader of the
// output that goes away (EPIPE) ends the command quietly with 0.
int events_command(const EventsOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_EVENTS_H
