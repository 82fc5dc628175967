// The data and helpers that all findings of one trace are built from.
#ifndef LASTREF_ANALYZER_ANALYZE_FINDING_BUILDER_H
#define LASTREF_ANALYZER_ANALYZE_FINDING_BUILDER_H

#include <initializer_list>
#include <string_view>
#include <vector>

#include "analyze/findings.h"
#include "analyze/lifecycle.h"
#include "analyze/stack_names.h"
#include "analyze/trace_facts.h"
#include "read/trace_file.h"

namespace lastref {

class FindingBuilder {
public:
    // All must outlive this.
    FindingBuilder(const Lifecycle& lifecycle, const TraceFacts& facts, TraceFile& trace,
                   StackNames& names, Report& report)
        : lifecycle_(lifecycle), facts_(facts), trace_(trace), names_(names), report_(report) {}

    const Lifecycle& lifecycle() const { return lifecycle_; }
    const TraceFacts& facts() const { return facts_; }
    StackNames& names() { return names_; }
    Report& report() { return report_; }
    const std::string& text(uint32_t string) const { return trace_.strings()[string]; }
    const trace::TraceHeader& header() const { return trace_.header(); }

    HistoryEvent event(const HistoryRecord& record);
    std::vector<HistoryEvent> history(const std::vector<HistoryRecord>& records);

    Finding start(Kind kind, uint32_t created_stack);
    // Adds the finding to the report, with an id made of its cause and of `stacks`. The culprit's
    // cause goes before `cause`, which is for what has none. The id of a memory finding has no
    // cause: whether one is named may depend on how long blocks lived in this run.
    void finish(Finding finding, std::initializer_list<const Stack*> stacks,
                std::string_view cause = "");
    // Replaces the sample's numbers in the finding by estimates of the whole.
    void scale(Finding& finding, const Estimate& estimate) const;

private:
    const Lifecycle& lifecycle_;
    const TraceFacts& facts_;
    TraceFile& trace_;
    StackNames& names_;
    Report& report_;
};

class CallPaths;
class Judges;

// One file each.
void add_leaks(FindingBuilder& builder, Judges& judges);
void add_misuses(FindingBuilder& builder, Judges& judges);
void add_heap(FindingBuilder& builder, CallPaths& paths);
void add_mappings(FindingBuilder& builder);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FINDING_BUILDER_H
