#include "report/text.h"

#include "support/catch.h"
#include "unit/report/sample_report.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Report clean_report() {
    Report report = sample_report();
    report.findings.clear();
    return report;
}

}  // namespace

TEST_CASE("a text report leads with the verdict") {
    std::string text = render_text(sample_report());
    CHECK(text.starts_with(
        "LEAK  1000 buffers of type ByteBuf, 250.0 KiB, count 1 at exit\n"
        "  culprit   extra retain    confidence 0.99\n"
        "            FrameEncoder::encode                              frame_encoder.cpp:17\n"
        "            retained twice here in 1000 of 1000 leaked buffers\n"
        "  created   ProtocolEncoder::encode                           protocol_encoder.cpp:16\n"
        "            main                                              server.cpp:78\n"
        "  records   buffer 0x7f0000001000, newest first:\n"
        "            #1 release   count 1   thread 2, 1.500000 s\n"
        "               at_release  "));
    CHECK(contains(text,
                   "12 heap blocks never freed, 3.4 KiB in all, made in 1 place:\n\n"
                   "LEAK  12 heap blocks, 3.4 KiB\n"
                   "  created   load_config  "));
    CHECK(contains(text, "totals\n  buffers   2000 created, 1000 ended, 1000 leaked\n"));
    CHECK_FALSE(contains(text, "clean"));
}

TEST_CASE("what is incomplete is said before any verdict") {
    Report report = sample_report();
    report.processes[0].complete = false;
    report.processes[0].warnings = {"damaged at offset 8192: not a chunk"};
    CHECK(render_text(report).starts_with(
        "incomplete: /tmp/game.trace: damaged at offset 8192: not a chunk\n\nLEAK "));
    report.processes[0].warnings = {};
    report.processes[0].lost = 3;
    CHECK(render_text(report).starts_with("incomplete: /tmp/game.trace: 3 events lost\n"));
}

TEST_CASE("the same warning of many traces is said once") {
    Report report = clean_report();
    for (int i = 0; i < 3; ++i) {
        Process process = sample_process();
        process.complete = false;
        process.warnings = {"the disk was full"};
        report.processes.push_back(process);
    }
    CHECK(render_text(report).starts_with(
        "incomplete: /tmp/game.trace and 2 more traces: the disk was full\n\ninconclusive: "));
}

TEST_CASE("clean is only said of what was seen whole") {
    Report report = clean_report();
    CHECK(render_text(report).starts_with("clean: 2000 buffers created, 1000 ended; 500 heap"));

    SECTION("nothing lost") {
        report.processes[0].complete = false;
        report.processes[0].lost = 1;
    }
    SECTION("events at all") {
        report.processes[0].events = 0;
    }
    SECTION("a process at all") {
        report.processes.clear();
    }
    SECTION("not a sample only") {
        report.summary.coverage = 0.01;
    }
    std::string text = render_text(report);
    CHECK(contains(text, "inconclusive: "));
    CHECK_FALSE(contains(text, "clean"));
}

TEST_CASE("blocks in flight when a process was killed are no leak") {
    Report report = clean_report();
    Finding recent = sample_heap_leak();
    recent.recent = recent.count;
    report.findings = {recent};
    report.summary.recent_blocks = 12;
    report.summary.recent_bytes = 3482;
    std::string text = render_text(report);
    CHECK(text.starts_with("clean: "));
    CHECK(contains(text, "\n  recent    12 blocks, 3.4 KiB, made in the last moments"));
    CHECK_FALSE(contains(text, "LEAK"));
}

TEST_CASE("what is held accuses nobody") {
    Report report = clean_report();
    Finding held = sample_leak();
    held.kind = Kind::kHeld;
    held.culprit.reset();
    held.suspects.clear();
    held.reason = "a cache of at most 10";
    report.findings = {held};
    std::string text = render_text(report);
    CHECK(text.starts_with("clean: "));
    CHECK(contains(text, "held  1000 buffers of type ByteBuf"));
    CHECK(contains(text, "  reason    a cache of at most 10\n"));
    CHECK_FALSE(contains(text, "culprit"));
}

TEST_CASE("--top cuts the list and says so") {
    Report report = sample_report();
    for (int i = 0; i < 30; ++i) report.findings.push_back(sample_heap_leak());
    std::string text = render_text(report);
    CHECK(contains(text, "\n(12 more findings; --top 32 shows all)\n"));
    CHECK_FALSE(contains(render_text(report, 32), "--top"));
    CHECK_FALSE(contains(render_text(report, 1), "config.cpp"));
}

TEST_CASE("long histories are cut in the middle") {
    Report report = sample_report();
    Example& example = report.findings[0].example;
    HistoryEvent retain = example.events[1];
    example.events.insert(example.events.begin() + 1, 40, retain);
    std::string text = render_text(report);
    CHECK(contains(text, "#15 retain"));
    CHECK(contains(text, "(27 more records)\n"));
    CHECK(contains(text, "#43 create"));
    example.events_left_out = 1000;
    CHECK(contains(render_text(report), "(1027 more records)\n"));
}

TEST_CASE("findings of several processes name theirs") {
    Report report = sample_report();
    CHECK_FALSE(contains(render_text(report), "  process   "));
    report.processes.push_back(sample_process());
    CHECK(contains(render_text(report), "  process   server (pid 4711)\n"));
}

TEST_CASE("a process that did not end is not at exit") {
    Report report = sample_report();
    report.processes[0].exit = "signal 9";
    CHECK(contains(render_text(report), ", count 1 at the end of the trace\n"));
}
