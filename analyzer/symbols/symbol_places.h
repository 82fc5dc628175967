// Where symbols of another machine, or debug files of one's own, are to be looked for.
#ifndef LASTREF_ANALYZER_SYMBOLS_SYMBOL_PLACES_H
#define LASTREF_ANALYZER_SYMBOLS_SYMBOL_PLACES_H

#include <string>
#include <vector>

namespace lastref {

struct SymbolPlaces {
    std::string sysroot;                  // a copy of the machine's files; looked into first
    std::vector<std::string> debug_dirs;  // as /usr/lib/debug: .build-id/xx/yyy.debug below each
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_SYMBOL_PLACES_H
