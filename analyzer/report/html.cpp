#include "report/html.h"

#include "report/html_data.h"

#ifdef LASTREF_HTML_REPORT
#include "html_bundle.h"
#else
namespace lastref {
constexpr unsigned char kReportScript[1] = {}, kReportStyle[1] = {};
}
#endif

namespace lastref {
namespace {

template <size_t N>
std::string_view view(const unsigned char (&bytes)[N]) {
    return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::string_view html_missing() {
    if (sizeof(kReportScript) > 1) return {};
    return "this lastref was built without the HTML report; configure it with "
           "-Dhtml_report=enabled, which needs npm";
}

// The policy keeps the page from loading anything, whatever a name in it may say.
std::string render_html(const Report& report, size_t top) {
    std::string page = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>lastref report</title>
<style>)";
    page += view(kReportStyle);
    page +=
        "</style>\n</head>\n<body>\n<main id=\"page\">This page needs JavaScript.</main>\n"
        "<script type=\"application/json\" id=\"data\">";
    page += html_data(report, top);
    page += "</script>\n<script>";
    page += view(kReportScript);
    page += "</script>\n</body>\n</html>\n";
    return page;
}

}  // namespace lastref
