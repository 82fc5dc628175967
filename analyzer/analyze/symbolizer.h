// Names for the program counters of a trace: function, file, line, inlined frames.
//
// Symbols come from the ELF files that the trace names, checked by build-id, through elfutils
// libdw (separate debug files and debuginfod included), and for code in no module from
// /tmp/perf-PID.map. One instance serves one trace; it is not thread-safe, but several may share
// their files. Modules are opened when first asked for, results are cached by (module, address).
#ifndef LASTREF_ANALYZER_ANALYZE_SYMBOLIZER_H
#define LASTREF_ANALYZER_ANALYZE_SYMBOLIZER_H

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analyze/findings.h"
#include "read/trace_names.h"
#include "symbols/elf_files.h"

namespace lastref {

// A module as the trace recorded it.
struct Module {
    std::string path;
    std::string build_id;         // lower-case hexadecimal, empty where the module has none
    uint64_t begin = 0, end = 0;  // mapped addresses
    uint64_t bias = 0;            // mapped address - ELF address
    uint32_t first_epoch = 0;     // in [first_epoch, end_epoch) the module was mapped
    uint32_t end_epoch = UINT32_MAX;
};

class Symbolizer {
public:
    // `modules` must outlive the symbolizer. `pid` names the perf map. Names found in `names` are
    // taken from there, whatever files are at hand; it must outlive the symbolizer too.
    Symbolizer(std::span<const Module> modules, int32_t pid,
               std::shared_ptr<ElfFiles> files = std::make_shared<ElfFiles>(),
               const TraceNames* names = nullptr);
    ~Symbolizer();

    // The frames of one machine frame, innermost inlined call first; never empty. `pc` as in
    // StackNode, `epoch` identifies the module that owned the address.
    const std::vector<Frame>& frames(uint64_t pc, uint32_t epoch);

    // All that frames() was asked for until now.
    TraceNames names() const;

    // True for code of liblastref.so itself, to be left out of reports.
    bool is_own(uint64_t pc, uint32_t epoch);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_SYMBOLIZER_H
