// Memory usage of the traces of a report, with names: what Report::usage is made from.
#ifndef LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H
#define LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analyze/frame_tree.h"
#include "analyze/trace_follower.h"
#include "analyze/usage.h"
#include "analyze/usage_report.h"
#include "read/trace_file.h"

namespace lastref {

// Kept from trace to trace, so that equal frames and stacks of several are one.
class UsageBuilder : public TraceFollower {
public:
    // `report` must outlive the builder.
    explicit UsageBuilder(UsageReport& report)
        : report_(report), tree_(report.frames, report.nodes) {}

    void trace_begins(TraceFile& trace, StackNames& names) override;
    void trace_ends(uint64_t last_ticks) override;
    void event(const Event& event) override { usage_->set_time(event.ticks); }
    uint64_t begins(const FollowedLife& life) override {
        usage_->begins(life.type, life.stack, life.size);
        return 0;
    }
    void ends(const FollowedLife& life) override { usage_->ends(life.type, life.stack, life.size); }
    void goes_on(const FollowedLife& life) override {
        usage_->begins(life.type, life.stack, life.size, false);
    }

    // What another builder made of other traces. `first_process`: index that its first process has
    // in this report.
    void add(const UsageReport& part, uint64_t first_process);

private:
    uint32_t type_index(const std::string& name);
    UsageSite& site_at(uint32_t type, uint32_t node);
    void add_times(uint64_t start_realtime_ns, uint64_t duration_ns);

    UsageReport& report_;
    FrameTree tree_;
    std::map<std::string, uint32_t> types_;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> sites_;  // by type and node
    // Of the trace that is being read.
    std::optional<Usage> usage_;
    TraceFile* trace_ = nullptr;
    StackNames* names_ = nullptr;
    uint64_t process_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_USAGE_BUILDER_H
