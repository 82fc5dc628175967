// `lastref diff OLD NEW`: what changed between two traces, by finding and by gauge.
#ifndef LASTREF_ANALYZER_COMMAND_DIFF_H
#define LASTREF_ANALYZER_COMMAND_DIFF_H

#include <string>

#include "symbols/symbol_places.h"

namespace lastref {

struct DiffOptions {
    std::string before, after;    // traces
    std::string format = "text";  // or json
    std::string output;           // empty: standard output
    SymbolPlaces symbols;
};

// Returns 0 whatever changed, 2 where the output can't be written, 3 where a trace can't be read.
int diff_command(const DiffOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_DIFF_H
