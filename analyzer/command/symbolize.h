// `lastref symbolize`: writes the names of all code addresses into a finished trace, so that it can
// be read where the programs and their debug information are not.
#ifndef LASTREF_ANALYZER_COMMAND_SYMBOLIZE_H
#define LASTREF_ANALYZER_COMMAND_SYMBOLIZE_H

#include <string>

#include "symbols/symbol_places.h"

namespace lastref {

struct SymbolizeOptions {
    std::string trace;
    SymbolPlaces symbols;
};

// Names that the trace has already stay, unless they were unknown then. A packed trace stays
// packed. Where writing fails the trace is as it was. Returns 0; 2 where the trace can't be
// written, or is still being written by its process; 3 where it can't be read, or the packed file
// is damaged.
int symbolize_command(const SymbolizeOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_SYMBOLIZE_H
