#include "command/export.h"

#include <fmt/format.h>

#include <memory>

#include "analyze/elf_frames.h"
#include "command/exit_status.h"
#include "command/output_file.h"
#include "read/trace_file.h"
#include "report/heaptrack.h"

namespace lastref {
bool is_event_format(const std::string& format) {
    return format == "heaptrack";
}

int export_events(const ReportOptions& options) {
    if (options.traces.size() != 1) {
        return fail(kUsage, fmt::format("a {} file holds one process: give one trace at a time",
                                        options.format));
    }
    Result<std::unique_ptr<TraceFile>> opened = TraceFile::open(options.traces.front());
    if (!opened) return fail(kUnreadable, opened.error().message());
    TraceFile& trace = **opened;
    ElfFrames frames(trace, options.symbols);
    StackNames names(trace.stacks(), frames);
    OutputFile output(options.output);
    write_heaptrack(trace, names, [&](std::string_view text) { return output.write(text); });
    for (const Damage& damage : trace.damage().kept()) {
        fmt::print(stderr, "lastref: {}: damaged at offset {}: {}\n", trace.path(), damage.offset,
                   damage.reason);
    }
    const std::string failure = output.finish();
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
