// The baseline of a gate: the findings that a project lives with, by id and count.
//
// A text file, sorted, one finding a line, made to be reviewed and merged:
//
//     # lastref baseline 1
//     0123456789abcdef 1000 refcount-leak ByteBuf frame_encoder.cpp (FrameEncoder::encode)
//
// id, count, then words for people that are not read. No line numbers, so that it changes only
// where findings do. Empty lines and lines that begin with '#' are skipped.
#ifndef LASTREF_ANALYZER_GATE_BASELINE_H
#define LASTREF_ANALYZER_GATE_BASELINE_H

#include <cstdint>
#include <map>
#include <string>

#include "analyze/findings.h"
#include "gate/line_error.h"

namespace lastref {

struct BaselineEntry {
    uint64_t count = 0;
    std::string line;  // as it stands in the file
};
using Baseline = std::map<std::string, BaselineEntry>;  // by id

// A file that is missing is an error, too: a gate must not pass for want of its baseline.
Checked<Baseline> read_baseline(const std::string& path);

// The file's text for what a gate judged: all findings but the suppressed and left out.
std::string baseline_text(const Report& report);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_GATE_BASELINE_H
