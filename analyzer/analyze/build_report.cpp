#include "analyze/build_report.h"

#include <memory>

namespace lastref {

Result<Report> build_report(std::span<const std::string> trace_paths, const Options& options) {
    ReportParts parts(options, std::make_shared<ElfFiles>(options.symbols));
    return parts.report(trace_paths);
}

}  // namespace lastref
