// One trace's Usage into the report's, with names.
#ifndef LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H
#define LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "analyze/stack_names.h"
#include "analyze/usage.h"
#include "analyze/usage_report.h"
#include "read/trace_file.h"

namespace lastref {

// Kept from trace to trace, so that equal frames and stacks of several are one.
class UsageBuilder {
public:
    // `report` must outlive the builder.
    explicit UsageBuilder(UsageReport& report) : report_(report) {}

    // `process`: index into Report::processes.
    void add(const Usage& usage, uint64_t process, TraceFile& trace, StackNames& names,
             uint64_t last_ticks);

private:
    using FrameKey = std::tuple<std::string, uint64_t, bool, std::string, uint32_t>;

    uint32_t type_index(const std::string& name);
    uint32_t frame_index(const Frame& frame);
    uint32_t node_of(uint32_t stack, StackNames& names);

    UsageReport& report_;
    std::map<std::string, uint32_t> types_;
    std::map<FrameKey, uint32_t> frames_;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> nodes_;  // by parent and frame
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> sites_;  // by type and node
    std::unordered_map<const Frame*, uint32_t> seen_;          // of the trace that is being added
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H
