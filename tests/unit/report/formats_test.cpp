// Each format of a report made by hand, byte for byte: a golden file of the format's name in
// golden/. LASTREF_UPDATE_GOLDEN=1 in the environment writes them anew; look at the difference
// then.
#include "report/formats.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "report/diff_text.h"
#include "support/catch.h"
#include "unit/report/sample_report.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

// The sample as a gate leaves it: one finding new, one in the baseline, one suppression of each
// sort.
Report judged_report() {
    Report report = sample_report();
    report.root = "/src";
    report.findings[0].standing = Standing::kNew;
    report.findings[1].standing = Standing::kKnown;
    Finding suppressed = sample_heap_leak();
    suppressed.id = "0dd";
    suppressed.created = {sample_frame("odd<name>&\"sign\"\n", "a%b,c:d e.cpp", 3)};
    suppressed.standing = Standing::kSuppressed;
    report.findings.push_back(suppressed);
    report.gate = GateSummary{"fail",
                              {"new: a buffer leaks", "budget heap=1 exceeded: 12 leaked"},
                              {"nothing else"},
                              {{"leak:odd", "known.supp:1", 1}, {"leak:stale", "known.supp:2", 0}},
                              {"0123456789abcdef 3 heap-leak heap gone.cpp (gone)"}};
    return report;
}

// Two stacks of one type that share main; the odd name has what folded stacks give a meaning.
UsageReport sample_usage() {
    UsageReport usage;
    usage.types = {"ByteBuf"};
    usage.frames = {sample_frame("main", "server.cpp", 78),
                    sample_frame("odd;name<a, b>(int)\n", "odd.cpp", 3), Frame{}};
    usage.frames[2].module = "/opt/libnameless.so";
    usage.frames[2].offset = 0x1234;
    usage.nodes = {{kNoUsageNode, 0}, {0, 1}, {0, 2}};
    usage.sites = {{0, 1, {256, 1}, {512, 2}, {1024, 4}},
                   {0, 2, {64, 1}, {64, 1}, {64, 1}},
                   {0, kNoUsageNode, {0, 0}, {0, 0}, {32, 1}}};
    return usage;
}

void check_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(LASTREF_GOLDEN) + '/' + name;
    if (std::getenv("LASTREF_UPDATE_GOLDEN")) std::ofstream(path) << text;
    std::ifstream file(path);
    REQUIRE(file);
    std::ostringstream golden;
    golden << file.rdbuf();
    CHECK(text == golden.str());
}

}  // namespace

TEST_CASE("every format of a judged report is as its golden file") {
    Report report = judged_report();
    report.usage = sample_usage();
    for (const Format& format : formats()) {
        // The others' golden files are in tests/report: as decoded text, of a trace.
        if (format.render == nullptr || format.name == "html" || format.name == "pprof") continue;
        INFO(format.name);
        check_golden(std::string(format.name), format.render(report, format.top));
    }
}

TEST_CASE("a difference is as its golden file") {
    Report before = sample_report(), after = sample_report();
    before.findings.pop_back();
    after.findings[0].count = 999;
    after.summary.buffers.leaked = 999;
    check_golden("diff", render_diff_text(before, after));
}

TEST_CASE("odd names stay inside their line and their element") {
    Report report = judged_report();
    report.findings[2].standing = Standing::kNew;
    const std::string github = find_format("github")->render(report, SIZE_MAX);
    CHECK(std::count(github.begin(), github.end(), '\n') == 3);
    CHECK(github.find("file=a%25b%2Cc%3Ad e.cpp,line=3") != std::string::npos);
    const std::string junit = find_format("junit")->render(report, SIZE_MAX);
    CHECK(junit.find("odd&lt;name&gt;&amp;&quot;sign&quot;") != std::string::npos);
    CHECK(find_format("sarif")->render(report, SIZE_MAX).find("a%25b,c%3Ad%20e.cpp") !=
          std::string::npos);
}

TEST_CASE("an unknown format has no writer") {
    CHECK(find_format("punchcard") == nullptr);
}
