// The findings of one id: the same fault in several processes. What a baseline, a difference and
// reports for other tools count.
#ifndef LASTREF_ANALYZER_REPORT_SAME_FINDINGS_H
#define LASTREF_ANALYZER_REPORT_SAME_FINDINGS_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/findings.h"

namespace lastref {

struct SameFindings {
    std::vector<const Finding*> findings;  // one for each process; never empty
    uint64_t count = 0;                    // of all of them
    uint64_t bytes = 0;

    const Finding& example() const { return *findings.front(); }
    const std::string& id() const { return example().id; }
};

// Those that accuse (verdict.h), in the order in which their ids come first. They point into the
// report.
std::vector<SameFindings> same_findings(const Report& report);

// Where to look first: the culprit, else the innermost frame of the creation that has a source file
// below `root` (or anywhere, where none has). Plain memory is always identified by its creation:
// whether another place is named may depend on the run. Null where nothing is known.
const Frame* place_of(const Finding& finding, std::string_view root);

// The file of a frame as people and tools in the folder `root` name it: relative where it lies
// below.
std::string source_path(const Frame& frame, std::string_view root);

// 'frame_encoder.cpp:15 (FrameEncoder::encode)': place_of in words. Without a source the module.
std::string place_text(const Finding& finding, std::string_view root);

// 'extra retain: 1000 buffers of type ByteBuf, 250.0 KiB, made in ...': one line on all of them.
std::string describe(const SameFindings& same);

// The same with the place and what is said of the culprit.
std::string describe_in_full(const SameFindings& same, std::string_view root);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_SAME_FINDINGS_H
