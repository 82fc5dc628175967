#include "report/formats.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "report/github.h"
#include "report/gitlab.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/sarif.h"
#include "report/text.h"

namespace lastref {
namespace {

constexpr std::array<Format, 6> kFormats = {{
    {"text", "for people", render_text, kTextTop},
    {"json", "for programs, schema lastref.report/1", render_json, SIZE_MAX},
    {"junit", "test results in XML: Jenkins, GitLab", render_junit, SIZE_MAX},
    {"sarif", "SARIF 2.1.0: code scanning", render_sarif, SIZE_MAX},
    {"github", "annotations of a GitHub Actions log", render_github, SIZE_MAX},
    {"gitlab", "GitLab's code quality JSON", render_gitlab, SIZE_MAX},
}};

}  // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format* find_format(std::string_view name) {
    const auto at = std::find_if(kFormats.begin(), kFormats.end(),
                                 [&](const Format& format) { return format.name == name; });
    return at == kFormats.end() ? nullptr : &*at;
}

}  // namespace lastref
