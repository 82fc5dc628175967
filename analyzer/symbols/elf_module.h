// One ELF file and its debug information: from an ELF address to source frames.
//
// Any thread may call frames(): a lock of the file's own, since elfutils has none.
#ifndef LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H
#define LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "symbols/demangler.h"
#include "symbols/source_lines.h"
#include "symbols/symbol_places.h"
#include "symbols/symbol_table.h"

namespace lastref {

class ElfModule {
public:
    // Opens the file that the trace saw: the one at `path`, in the sysroot or else here, if its
    // build-id (lower-case hexadecimal, empty: none) is the same; else the debug file for that
    // build-id in a debug folder, under /usr/lib/debug, or from DEBUGINFOD_URLS. Null where none
    // is at hand. A file's debug information is found as debuggers find it: in the file, by
    // .gnu_debuglink or build-id in the debug folders, under /usr/lib/debug, and from
    // DEBUGINFOD_URLS.
    static std::unique_ptr<ElfModule> open(const std::string& path, const std::string& build_id,
                                           const SymbolPlaces& places = {});

    // See SourceLines::frames. Empty where not even a symbol is known.
    std::vector<SourceFrame> frames(uint64_t elf_address);

private:
    struct CloseDwfl {
        void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
    };
    using DwflHandle = std::unique_ptr<Dwfl, CloseDwfl>;

    explicit ElfModule(const SymbolPlaces& places);
    static std::unique_ptr<ElfModule> open_file(const std::string& path,
                                                const std::string& build_id,
                                                const SymbolPlaces& places);

    std::mutex mutex_;        // held by frames()
    std::string debug_path_;  // what callbacks_ points to
    char* debug_path_text_ = nullptr;
    Dwfl_Callbacks callbacks_;
    DwflHandle dwfl_;
    Dwfl_Module* module_ = nullptr;
    Demangler demangler_;
    std::unique_ptr<SourceLines> lines_;  // null where there is no debug information
    std::unique_ptr<SymbolTable> symbols_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_ELF_MODULE_H
