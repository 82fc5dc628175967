// A report that is written while its traces are read, for formats that show every event or life:
// memory grows with what is live and with the number of stacks, not with the number of events.
#ifndef LASTREF_ANALYZER_REPORT_STREAMED_REPORT_H
#define LASTREF_ANALYZER_REPORT_STREAMED_REPORT_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/findings.h"
#include "analyze/trace_follower.h"

namespace lastref {

struct StreamTarget {
    // Called with each piece of the file; false: no more is wanted.
    std::function<bool(std::string_view)> sink;
    // A regular, empty file, for libraries that write files by name; empty where the output is
    // none.
    std::string file;
};

class StreamedReport : public TraceFollower {
public:
    // To be called once, after the last trace, unless stopped(). Why the file can't be written,
    // where that is not the sink's to say; empty where it can.
    virtual std::string finish(const Report& report) = 0;
    // Why it stopped, likewise.
    virtual std::string failure() const { return {}; }
    // Notes for the user, one sentence each: what was left out. After finish().
    virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_STREAMED_REPORT_H
