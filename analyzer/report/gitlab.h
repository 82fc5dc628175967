// GitLab's code quality report: a JSON array, one object for each finding by id.
#ifndef LASTREF_ANALYZER_REPORT_GITLAB_H
#define LASTREF_ANALYZER_REPORT_GITLAB_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyze/findings.h"

namespace lastref {

std::string render_gitlab(const Report& report, size_t top = SIZE_MAX);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_GITLAB_H
