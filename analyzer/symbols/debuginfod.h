// Debug files by build-id from the servers that DEBUGINFOD_URLS names, through elfutils'
// libdebuginfod, which is loaded only where that is set.
#ifndef LASTREF_ANALYZER_SYMBOLS_DEBUGINFOD_H
#define LASTREF_ANALYZER_SYMBOLS_DEBUGINFOD_H

#include <string>

namespace lastref {

// The path of a file in libdebuginfod's cache that has the debug information, or else the ELF file
// itself. Empty where no server has it or none is named. May wait for the network, as long as
// DEBUGINFOD_TIMEOUT says. Not thread-safe.
std::string fetch_debug_file(const std::string& build_id);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_DEBUGINFOD_H
