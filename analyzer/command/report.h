// `lastref report`: judges traces and writes the report.
#ifndef LASTREF_ANALYZER_COMMAND_REPORT_H
#define LASTREF_ANALYZER_COMMAND_REPORT_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "symbols/symbol_places.h"

namespace lastref {

struct ReportOptions {
    std::vector<std::string> traces;
    std::string format = "text";     // a name of report/formats.h
    std::string output;              // empty: standard output
    std::optional<size_t> top;       // findings shown; unset: 20 as text, all as JSON
    std::optional<uint64_t> buffer;  // only the lives at this address
    std::string suppressions;        // a file of them (gate/suppressions.h)
    std::string weight = "live";     // of folded: live, peak, allocated
    SymbolPlaces symbols;
};

// Where the format is written while the traces are read, what is lost or damaged in them is said on
// stderr.
// Returns 0 however many findings there are, 2 where the report can't be written or no
// buffer was at the address asked for, 3 where a trace can't be read; both said in one line on
// stderr.
int report_command(const ReportOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_REPORT_H
