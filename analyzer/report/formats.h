// The report formats by name: one file each in this folder, one line each in formats.cpp.
#ifndef LASTREF_ANALYZER_REPORT_FORMATS_H
#define LASTREF_ANALYZER_REPORT_FORMATS_H

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "analyze/findings.h"
#include "report/streamed_report.h"

namespace lastref {

struct Format {
    std::string_view name;
    std::string_view what;  // for --help
    // The first `top` findings, the worst ones. Null where there is `stream`.
    std::string (*render)(const Report& report, size_t top);
    size_t top;          // by default
    bool usage = false;  // needs Report::usage
    // Why this lastref can't write it; empty where it can.
    std::string_view (*missing)() = [] { return std::string_view(); };
    // Written while the traces are read.
    std::unique_ptr<StreamedReport> (*stream)(const StreamTarget& target) = nullptr;
    bool one_trace = false;   // holds one process
    bool needs_file = false;  // is not written to a sink
};

std::span<const Format> formats();
const Format* find_format(std::string_view name);  // null where there is none

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_FORMATS_H
