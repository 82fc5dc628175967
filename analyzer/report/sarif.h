// SARIF 2.1.0 (OASIS): one result for each finding by id, its example life as a code flow.
#ifndef LASTREF_ANALYZER_REPORT_SARIF_H
#define LASTREF_ANALYZER_REPORT_SARIF_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyze/findings.h"

namespace lastref {

std::string render_sarif(const Report& report, size_t top = SIZE_MAX);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_SARIF_H
