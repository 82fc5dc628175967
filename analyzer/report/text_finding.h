// One finding as a block of text: a verdict line, then culprit, creation and records.
#ifndef LASTREF_ANALYZER_REPORT_TEXT_FINDING_H
#define LASTREF_ANALYZER_REPORT_TEXT_FINDING_H

#include <string>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

// `process` is named where it is not null: in reports on several processes.
std::string finding_text(const Finding& finding, const Process* process, bool has_ended);

// The same in brief, for heap blocks and mappings: their creation is all there is to say.
std::string brief_finding_text(const Finding& finding, const Process* process);

// Lives at one address, each with all records that are kept of it.
std::string render_lives_text(const std::vector<LifeAt>& lives);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_TEXT_FINDING_H
