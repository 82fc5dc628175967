// The report as one HTML file that opens offline: the page's script and style are in it, and the
// report's data as JSON. What the page shows of it is in html/.
#ifndef LASTREF_ANALYZER_REPORT_HTML_H
#define LASTREF_ANALYZER_REPORT_HTML_H

#include <cstddef>
#include <string>

#include "analyze/findings.h"

namespace lastref {

// As many findings as a page holds lightly.
inline constexpr size_t kHtmlTop = 300;

inline constexpr const char* kNoHtml =
    "this lastref was built without the HTML report; configure it with -Dhtml_report=enabled, "
    "which needs npm";
// False where lastref was built without the front end (meson's option html_report).
bool html_is_built();

// Needs `report.usage`, and html_is_built(). Reads source files that are at hand, for the lines
// around culprits and creations. Shows the first `top` findings.
std::string render_html(const Report& report, size_t top = kHtmlTop);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_HTML_H
