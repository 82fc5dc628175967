#include "analyze/build_report.h"

#include <algorithm>
#include <memory>

#include "analyze/analysis.h"
#include "analyze/elf_frames.h"
#include "analyze/usage_builder.h"
#include "read/trace_file.h"

namespace lastref {

Result<Report> build_report(std::span<const std::string> trace_paths, const Options& options) {
    Report report;
    std::unique_ptr<UsageBuilder> usage;
    if (options.usage) usage = std::make_unique<UsageBuilder>(report.usage.emplace());
    TraceFollower* const follower = usage != nullptr ? usage.get() : options.follower;
    for (size_t i = 0; i < trace_paths.size(); ++i) {
        Result<std::unique_ptr<TraceFile>> opened = TraceFile::open(trace_paths[i]);
        if (!opened && options.unreadable == nullptr) return opened.error();
        if (!opened) {
            options.unreadable->push_back(opened.error());
            continue;
        }
        TraceFile& trace = **opened;
        const auto before = static_cast<double>(i) / static_cast<double>(trace_paths.size());
        // How many events a file holds is not known before; eight bytes each is near enough.
        const double expected = static_cast<double>(trace.size()) / 8 + 1;
        EventProgress progress;
        if (options.progress) {
            progress = [&](uint64_t events) {
                const double part = std::min(1.0, static_cast<double>(events) / expected);
                options.progress(before + part / static_cast<double>(trace_paths.size()));
            };
        }
        ElfFrames frames(trace, options.symbols);
        analyze_trace(trace, frames, progress, report, follower);
        if (follower != nullptr && follower->stopped()) break;
    }
    complete_report(report);
    return report;
}

}  // namespace lastref
