// Traces as an SQLite database: processes, events, lives, stacks, findings, for questions that no
// report answers. sqlite_schema.h describes the tables, as the file itself does (`.schema`).
#ifndef LASTREF_ANALYZER_REPORT_SQLITE_H
#define LASTREF_ANALYZER_REPORT_SQLITE_H

#include <memory>
#include <string_view>

#include "report/streamed_report.h"

namespace lastref {

// Why there is no SQLite output: where lastref was built without the library (meson's option
// sqlite). Else empty.
std::string_view sqlite_missing();

// Needs `target.file`, and sqlite_missing() to be empty. Rows go to the file as events come, in one
// transaction; indexes are made by finish().
std::unique_ptr<StreamedReport> sqlite_report(const StreamTarget& target);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_SQLITE_H
