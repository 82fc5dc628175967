#include "gate/control.h"

#include <algorithm>
#include <string_view>

#include "report/verdict.h"

namespace lastref {
namespace {

bool names(const Finding& finding, std::string_view function) {
    auto is_it = [&](const Frame& frame) { return frame.function.starts_with(function); };
    return std::any_of(finding.created.begin(), finding.created.end(), is_it) ||
           (finding.culprit && is_it(finding.culprit->frame));
}

}  // namespace

std::string why_control_fails(const Report& control, Suppressions& suppressions) {
    if (control.processes.empty())
        return "the planted control left no trace: the shim is not loaded, or records nothing "
               "(LASTREF_LEVEL, LD_PRELOAD, the folder for temporary files)";
    bool buffers = false, blocks = false, is_named = false, is_left = false;
    for (const Finding& finding : control.findings) {
        if (!is_fault(finding)) continue;
        if (finding.type == "lastref.control.clean" || names(finding, "lastref_control_clean"))
            return "the planted control is accused of what it freed: releases or frees are not "
                   "seen";
        const bool is_buffer = finding.type == "lastref.control.leaked";
        const bool is_block = finding.kind == Kind::kHeapLeak && finding.count > 1;
        buffers |= is_buffer;
        blocks |= is_block;
        if (!names(finding, "lastref_control_leak")) continue;
        is_named = true;
        is_left |= (is_buffer || is_block) && !suppressions.suppress(finding, false);
    }
    if (!buffers) return "the planted control's leaked buffers were not found";
    if (!blocks) return "the planted control's leaked heap blocks were not found";
    if (!is_named)
        return "the planted control's leaks were found without a function's name: symbols can't be "
               "read";
    if (!is_left) return "the suppressions hide the planted control's leaks: one is too broad";
    return {};
}

}  // namespace lastref
