// Workflow commands that GitHub Actions shows beside the source line: ::error for what fails,
// ::warning else.
#ifndef LASTREF_ANALYZER_REPORT_GITHUB_H
#define LASTREF_ANALYZER_REPORT_GITHUB_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyze/findings.h"

namespace lastref {

std::string render_github(const Report& report, size_t top = SIZE_MAX);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_GITHUB_H
