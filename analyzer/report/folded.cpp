#include "report/folded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "report/units.h"

namespace lastref {
namespace {

std::string folded_name(std::string name) {
    name = printable(name);
    std::replace(name.begin(), name.end(), ';', ':');
    return name;
}

std::string folded_frame(const Frame& frame) {
    if (!frame.function.empty()) return folded_name(frame.function);
    if (frame.module.empty()) return fmt::format("{:#x}", frame.offset);
    return folded_name(fmt::format("{}+{:#x}", base_name(frame.module), frame.offset));
}

const UsageAmount& amount(const UsageSite& site, Weight weight) {
    return weight == Weight::kLive   ? site.live
           : weight == Weight::kPeak ? site.peak
                                     : site.allocated;
}

}  // namespace

std::string render_folded(const Report& report, Weight weight) {
    const UsageReport& usage = report.usage.value();
    // Different places of one function are one line.
    std::map<std::string, double> lines;
    for (const UsageSite& site : usage.sites) {
        const double bytes = amount(site, weight).bytes;
        if (std::llround(bytes) <= 0) continue;
        std::vector<uint32_t> frames;  // innermost first
        for (uint32_t at = site.node; at != kNoUsageNode; at = usage.nodes[at].parent) {
            frames.push_back(usage.nodes[at].frame);
        }
        std::string line = folded_name(usage.types[site.type]);
        if (frames.empty()) line += ";??";
        for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
            line += ';' + folded_frame(usage.frames[*frame]);
        }
        lines[line] += bytes;
    }
    std::string text;
    for (const auto& [line, bytes] : lines)
        text += fmt::format("{} {}\n", line, std::llround(bytes));
    return text;
}

}  // namespace lastref
