#include "report/gitlab.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/same_findings.h"

namespace lastref {

// https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
std::string render_gitlab(const Report& report, size_t top) {
    using Json = nlohmann::ordered_json;
    Json issues = Json::array();
    for (const SameFindings& same : same_findings(report)) {
        if (issues.size() >= top) break;
        const Finding& finding = same.example();
        if (is_set_aside(finding.standing)) continue;
        const Frame* place = place_of(finding, report.root);
        const std::string path = !place                ? "unknown"
                                 : place->file.empty() ? place->module
                                                       : source_path(*place, report.root);
        std::string words = describe(same);
        if (finding.culprit) words += ": " + finding.culprit->explanation;
        const bool fails = counts_as_failure(finding.standing);
        issues.push_back(
            {{"description", words},
             {"check_name", std::string("lastref/") + std::string(kind_name(finding.kind))},
             {"fingerprint", same.id()},
             {"severity", fails ? "major" : "info"},
             {"location",
              {{"path", path},
               {"lines", {{"begin", place ? std::max<uint32_t>(place->line, 1) : 1}}}}}});
    }
    return issues.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lastref
