// The report for programs: schema 'lastref.report/1' (doc/reports.md, JSON).
#ifndef LASTREF_ANALYZER_REPORT_JSON_H
#define LASTREF_ANALYZER_REPORT_JSON_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "analyze/findings.h"
#include "report/json_sink.h"

namespace lastref {

// The first `top` findings; the summary has the number of all.
void write_report(const Report& report, size_t top, JsonSink& to);

// The same as text: valid UTF-8 whatever bytes the names hold.
std::string render_json(const Report& report, size_t top = SIZE_MAX);

// { "schema", "lives": [ { "trace", "type", "end", and the fields of an example } ] }
std::string render_lives_json(const std::vector<LifeAt>& lives);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_JSON_H
