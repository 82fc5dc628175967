// JUnit's XML, as Jenkins and GitLab read it: one test case for each finding by id, and one for the
// gate itself.
#ifndef LASTREF_ANALYZER_REPORT_JUNIT_H
#define LASTREF_ANALYZER_REPORT_JUNIT_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyze/findings.h"

namespace lastref {

std::string render_junit(const Report& report, size_t top = SIZE_MAX);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_JUNIT_H
