// The report as one HTML file that opens offline: the page's script and style are in it, and the
// report's data as JSON. The page itself is in html/.
#ifndef LASTREF_ANALYZER_REPORT_HTML_H
#define LASTREF_ANALYZER_REPORT_HTML_H

#include <cstddef>
#include <string>
#include <string_view>

#include "analyze/findings.h"

namespace lastref {

// As many findings as a page holds lightly.
inline constexpr size_t kHtmlTop = 300;

// Why there is no HTML report: where lastref was built without the front end (meson's option
// html_report). Else empty.
std::string_view html_missing();

// Needs `report.usage`, and html_missing() to be empty. Reads source files that are at hand, for
// the lines around culprits and creations. Shows the first `top` findings.
std::string render_html(const Report& report, size_t top = kHtmlTop);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_HTML_H
