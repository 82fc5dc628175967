// The verdict of a report in one word, and when that word may be said.
#ifndef LASTREF_ANALYZER_REPORT_VERDICT_H
#define LASTREF_ANALYZER_REPORT_VERDICT_H

#include <string>
#include <string_view>

#include "analyze/findings.h"

namespace lastref {

// kClean is only said of what was seen whole: any process with lost or damaged events, or with no
// events at all, makes a report without findings kInconclusive.
enum class Verdict { kFaults, kClean, kInconclusive };
std::string_view verdict_name(Verdict verdict);  // "faults", "clean", "inconclusive"

Verdict verdict_of(const Report& report);

// Why the report is inconclusive, as the end of a sentence; empty where it is not.
std::string inconclusive_reason(const Report& report);

// True for findings that accuse: not for what is held on purpose, nor for blocks that a killed
// process was still about to free.
bool is_fault(const Finding& finding);

// 'server (pid 12)': for messages about one process of several.
std::string process_label(const Process& process);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_VERDICT_H
