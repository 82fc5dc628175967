// libFuzzer's target: any bytes are a trace file. Symbols come from FakeFrames, so that the
// target depends on its input alone.
#include "fuzz/trace_target.h"

#include <cstdlib>
#include <vector>

#include "analyze/analysis.h"
#include "pack/open_trace.h"
#include "read/event_merger.h"
#include "support/fake_frames.h"

using namespace lastref;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    auto opened = open_trace(std::vector<uint8_t>{data, data + size}, "input");
    if (!opened) {
        // An error must say what and where, and where must be in the file.
        if (opened.error().reason.empty() || opened.error().offset > size) std::abort();
        return 0;
    }
    // The order that everything relies on.
    EventMerger merger(**opened);
    uint64_t last = 0;
    while (const Event* const event = merger.next()) {
        if (event->ticks < last) std::abort();
        last = event->ticks;
    }
    testing::FakeFrames frames;
    Report report;
    analyze_trace(**opened, frames, {}, report);
    complete_report(report);
    if (report.processes.size() != 1) std::abort();
    for (const Finding& finding : report.findings) {
        if (finding.id.empty()) std::abort();
    }
    return 0;
}
