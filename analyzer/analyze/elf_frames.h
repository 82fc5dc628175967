// Symbolizer behind the interface that analysis knows, for one opened trace.
#ifndef LASTREF_ANALYZER_ANALYZE_ELF_FRAMES_H
#define LASTREF_ANALYZER_ANALYZE_ELF_FRAMES_H

#include <cstdint>
#include <memory>
#include <vector>

#include "analyze/stack_names.h"
#include "analyze/symbolizer.h"
#include "read/trace_file.h"

namespace lastref {

class ElfFrames final : public FrameSource {
public:
    // Takes a copy of the trace's modules; ELF files are opened when first asked for.
    ElfFrames(const TraceFile& trace, std::shared_ptr<ElfFiles> files);
    explicit ElfFrames(const TraceFile& trace, const SymbolPlaces& places = {})
        : ElfFrames(trace, std::make_shared<ElfFiles>(places)) {}

    const std::vector<Frame>& frames(uint64_t pc, uint32_t epoch) override;
    bool is_own(uint64_t pc, uint32_t epoch) override;

    // All that frames() was asked for until now.
    TraceNames names() const { return symbolizer_.names(); }

private:
    std::vector<Module> modules_;  // before symbolizer_, which looks at it
    Symbolizer symbolizer_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_ELF_FRAMES_H
