// Names for the pcs of built traces: pc 0x1234 is function "f1234" at "f1234.cpp":4660.
//
// Names that matter are set; a pc of the module "own" counts as lastref's.
#ifndef LASTREF_TESTS_SUPPORT_FAKE_FRAMES_H
#define LASTREF_TESTS_SUPPORT_FAKE_FRAMES_H

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "analyze/analysis.h"
#include "analyze/stack_names.h"
#include "support/trace_builder.h"

namespace lastref::testing {

class FakeFrames final : public FrameSource {
public:
    void name(uint64_t pc, const std::string& function, const std::string& module = "/bin/program",
              const std::string& file = "program.cpp") {
        Frame frame;
        frame.function = function;
        frame.file = file;
        frame.line = static_cast<uint32_t>(pc);
        frame.module = module;
        frame.offset = pc;
        known_[pc] = {frame};
    }

    const std::vector<Frame>& frames(uint64_t pc, uint32_t) override {
        const auto found = known_.find(pc);
        if (found != known_.end()) return found->second;
        char text[32];
        std::snprintf(text, sizeof(text), "f%llx", static_cast<unsigned long long>(pc));
        name(pc, text);
        return known_[pc];
    }
    bool is_own(uint64_t pc, uint32_t) override {
        const auto found = known_.find(pc);
        return found != known_.end() && found->second[0].module == "own";
    }

private:
    std::map<uint64_t, std::vector<Frame>> known_;
};

inline Report report_of(const TraceBuilder& builder, FakeFrames& frames) {
    Report report;
    const auto trace = builder.open();
    analyze_trace(*trace, frames, {}, report);
    complete_report(report);
    return report;
}

inline Report report_of(const TraceBuilder& builder) {
    FakeFrames frames;
    return report_of(builder, frames);
}

inline std::vector<Finding> findings_of(const Report& report, Kind kind) {
    std::vector<Finding> found;
    for (const Finding& finding : report.findings) {
        if (finding.kind == kind) found.push_back(finding);
    }
    return found;
}

}  // namespace lastref::testing

#endif  // LASTREF_TESTS_SUPPORT_FAKE_FRAMES_H
