// The ELF files that have been opened, shared by all traces of a report: opening one reads and
// often unpacks its debug information, which takes longer than judging a short trace.
//
// Any thread may call find(). The least recently asked for are closed when there are many: a test
// suite may run more programs than one process may have files open.
#ifndef LASTREF_ANALYZER_SYMBOLS_ELF_FILES_H
#define LASTREF_ANALYZER_SYMBOLS_ELF_FILES_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "symbols/elf_module.h"
#include "symbols/symbol_places.h"

namespace lastref {

class ElfFiles {
public:
    static constexpr size_t kKept = 64;  // two descriptors each at most

    explicit ElfFiles(SymbolPlaces places = {}) : places_(std::move(places)) {}

    // See ElfModule::open; null where there is none. Opened at the first call, which others that
    // want the same file wait for.
    std::shared_ptr<ElfModule> find(const std::string& path, const std::string& build_id);

private:
    struct File {
        std::once_flag once;
        std::shared_ptr<ElfModule> module;
        uint64_t asked = 0;  // when last, in calls of find()
    };

    void drop_oldest();

    const SymbolPlaces places_;
    std::mutex mutex_;  // guards what follows, but not a file's module
    std::map<std::pair<std::string, std::string>, std::shared_ptr<File>> files_;
    uint64_t calls_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_SYMBOLS_ELF_FILES_H
