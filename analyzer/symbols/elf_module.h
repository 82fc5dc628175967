// One ELF file and its debug information: from an ELF address to source frames.
#ifndef LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H
#define LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "symbols/demangler.h"
#include "symbols/source_lines.h"
#include "symbols/symbol_table.h"

namespace lastref {

class ElfModule {
public:
    // Opens the file that the trace saw: the one at `path` if its build-id (lower-case
    // hexadecimal, empty: none) is the same, else the debug file installed for that build-id.
    // Null where neither is at hand. Debug information is found as debuggers find it: in the
    // file, by .gnu_debuglink, by build-id under /usr/lib/debug, and from DEBUGINFOD_URLS.
    static std::unique_ptr<ElfModule> open(const std::string& path, const std::string& build_id);

    // See SourceLines::frames. Empty where not even a symbol is known.
    std::vector<SourceFrame> frames(uint64_t elf_address);

private:
    struct CloseDwfl {
        void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
    };
    using DwflHandle = std::unique_ptr<Dwfl, CloseDwfl>;

    ElfModule(DwflHandle dwfl, Dwfl_Module* module);
    static std::unique_ptr<ElfModule> open_file(const std::string& path,
                                                const std::string& build_id);

    DwflHandle dwfl_;
    Dwfl_Module* module_;
    Demangler demangler_;
    std::unique_ptr<SourceLines> lines_;  // null where there is no debug information
    std::unique_ptr<SymbolTable> symbols_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H
