// Linker names to source names, each worked out once.
#ifndef LASTREF_ANALYZER_SYMBOLS_DEMANGLER_H
#define LASTREF_ANALYZER_SYMBOLS_DEMANGLER_H

#include <string>
#include <unordered_map>

namespace lastref {

class Demangler {
public:
    // `linker_name` must stay valid as long as the demangler: it points into a mapped string
    // table, and its address is the key. Names that are not mangled come back as they are.
    const std::string& demangle(const char* linker_name);

    static bool is_mangled(const char* linker_name) {
        return linker_name[0] == '_' && linker_name[1] == 'Z';
    }

private:
    std::unordered_map<const char*, std::string> names_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_DEMANGLER_H
