// The JSON report as values: for formats that contain it, or parts of it.
#ifndef LASTREF_ANALYZER_REPORT_JSON_TREE_H
#define LASTREF_ANALYZER_REPORT_JSON_TREE_H

#include <cstddef>
#include <nlohmann/json_fwd.hpp>

#include "analyze/findings.h"

namespace lastref {

// Names hold whatever bytes the trace does: to be dumped with error_handler_t::replace.
nlohmann::ordered_json report_tree(const Report& report, size_t top);

// FRAME of doc/reports.md, JSON.
nlohmann::ordered_json frame_json(const Frame& frame);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_JSON_TREE_H
