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

// Names that the trace has already stay, unless they were unknown then. Returns 0; 2 where the
// trace can't be written, is packed or is still being written; 3 where it can't be read.
int symbolize_command(const SymbolizeOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_SYMBOLIZE_H
