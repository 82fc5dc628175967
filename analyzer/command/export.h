// `lastref export` of formats that tell events one by one: read and written as a stream.
#ifndef LASTREF_ANALYZER_COMMAND_EXPORT_H
#define LASTREF_ANALYZER_COMMAND_EXPORT_H

#include <string>

#include "command/report.h"

namespace lastref {

// True for the formats that export_events() writes; report_command() writes the others.
bool is_event_format(const std::string& format);

// One trace into one file. Returns 0, 2 where the output can't be written or several traces are
// given, 3 where the trace can't be read.
int export_events(const ReportOptions& options);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_EXPORT_H
