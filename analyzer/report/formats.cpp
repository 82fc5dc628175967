#include "report/formats.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "report/folded.h"
#include "report/github.h"
#include "report/gitlab.h"
#include "report/heaptrack.h"
#include "report/html.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/perfetto.h"
#include "report/pprof.h"
#include "report/sarif.h"
#include "report/sqlite.h"
#include "report/text.h"

namespace lastref {
namespace {

// A page of more findings would not open lightly.
std::string html_page(const Report& report, size_t top) {
    constexpr size_t kMost = 2000;
    return render_html(report, std::min(top, kMost));
}

std::string live_stacks(const Report& report, size_t) {
    return render_folded(report, Weight::kLive);
}

std::string profile(const Report& report, size_t) {
    return render_pprof(report);
}

constexpr Format kFormats[] = {
    {"text", "for people", render_text, kTextTop},
    {"json", "for programs, schema lastref.report/1", render_json, SIZE_MAX},
    {"junit", "test results in XML: Jenkins, GitLab", render_junit, SIZE_MAX},
    {"sarif", "SARIF 2.1.0: code scanning", render_sarif, SIZE_MAX},
    {"github", "annotations of a GitHub Actions log", render_github, SIZE_MAX},
    {"gitlab", "GitLab's code quality JSON", render_gitlab, SIZE_MAX},
    {"html", "one page that opens offline", html_page, kHtmlTop, true, html_missing},
    {"folded", "folded stacks: FlameGraph, speedscope", live_stacks, SIZE_MAX, true},
    {"pprof", "profile.proto: go tool pprof, Pyroscope, Parca", profile, SIZE_MAX, true},
    {.name = "heaptrack",
     .what = "heaptrack_gui, heaptrack_print; one process",
     .render = nullptr,
     .top = SIZE_MAX,
     .stream = heaptrack_report,
     .one_trace = true},
    {.name = "perfetto",
     .what = "lives as slices, counters: ui.perfetto.dev",
     .render = nullptr,
     .top = SIZE_MAX,
     .stream = perfetto_report},
    {.name = "sqlite",
     .what = "a database of events, lives, stacks and findings",
     .render = nullptr,
     .top = SIZE_MAX,
     .missing = sqlite_missing,
     .stream = sqlite_report,
     .needs_file = true},
};

}  // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format* find_format(std::string_view name) {
    const auto* const at = std::find_if(std::begin(kFormats), std::end(kFormats),
                                        [&](const Format& format) { return format.name == name; });
    return at == std::end(kFormats) ? nullptr : at;
}

}  // namespace lastref
