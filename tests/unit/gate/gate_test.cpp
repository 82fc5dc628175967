// The parts of the gate that need no traces: patterns, budgets, missing processes, the control.
#include <algorithm>

#include "gate/budget.h"
#include "gate/control.h"
#include "gate/suppressions.h"
#include "gate/untraced.h"
#include "support/catch.h"
#include "unit/report/sample_report.h"

using namespace lastref;
using namespace lastref::testing;

TEST_CASE("patterns are searched for, with stars and anchors") {
    CHECK(matches_pattern("load", "Inventory::load()"));
    CHECK(matches_pattern("Inv*load", "Inventory::load()"));
    CHECK(matches_pattern("^Inv", "Inventory"));
    CHECK(matches_pattern("tory$", "Inventory"));
    CHECK(matches_pattern("^Inventory$", "Inventory"));
    CHECK(matches_pattern("*", ""));
    CHECK(matches_pattern("a*b$", "ab ab"));
    CHECK_FALSE(matches_pattern("^load", "Inventory::load()"));
    CHECK_FALSE(matches_pattern("Inv$", "Inventory"));
    CHECK_FALSE(matches_pattern("Inv*x", "Inventory"));
    CHECK_FALSE(matches_pattern("^Inventory$", "Inventory2"));
    CHECK_FALSE(matches_pattern("x", ""));
}

TEST_CASE("a pattern of many stars ends soon") {
    const std::string text(2000, 'a');
    CHECK_FALSE(matches_pattern("^a*a*a*a*a*a*a*a*a*b$", text));
}

TEST_CASE("budgets are counts or bytes") {
    CHECK(parse_budget("ByteBuf=10")->limit == 10);
    CHECK_FALSE(parse_budget("ByteBuf=10")->is_bytes);
    CHECK(parse_budget("heap=64K")->limit == 65536);
    CHECK(parse_budget("heap=64KiB")->limit == 65536);
    CHECK(parse_budget("heap=64K")->is_bytes);
    CHECK(parse_budget("heap=7b")->limit == 7);
    CHECK(parse_budget("a=b=2")->type == "a=b");
    for (const char* bad : {"heap", "=3", "heap=", "heap=-1", "heap=1X", "heap=1Kx", "heap=ten",
                            "heap=99999999999999999999", "heap=99999999999T"})
        CHECK_FALSE(parse_budget(bad));
}

TEST_CASE("a suppression of LeakSanitizer looks at where leaks were made") {
    Suppressions suppressions;
    CHECK(suppressions.add_text("leak:ProtocolEncoder\n# no\n\n leak:nowhere", "text").empty());
    CHECK(suppressions.suppress(sample_leak()));
    CHECK_FALSE(suppressions.suppress(sample_heap_leak()));
    Finding misuse = sample_leak();
    misuse.kind = Kind::kOverRelease;
    CHECK_FALSE(suppressions.suppress(misuse));
    REQUIRE(suppressions.uses().size() == 2);
    CHECK(suppressions.uses()[0].uses == 1);
    CHECK(suppressions.uses()[1].uses == 0);
    CHECK(suppressions.uses()[1].origin == "text:4");
}

TEST_CASE("a function of the culprit is looked at by function:, not by leak:") {
    Suppressions leak, function;
    leak.add_text("leak:FrameEncoder", "text");
    function.add_text("function:FrameEncoder", "text");
    CHECK_FALSE(leak.suppress(sample_leak()));
    CHECK(function.suppress(sample_leak()));
}

namespace {

Process process_of(int32_t pid, const std::string& exit, uint64_t forks = 0) {
    Process process = sample_process();
    process.pid = pid;
    process.process_start = 5;
    process.exit = exit;
    process.forks = forks;
    return process;
}

}  // namespace

TEST_CASE("every child and every executed program has a trace") {
    Report report;
    report.processes = {process_of(1, "status 0", 1), process_of(2, "exec"),
                        process_of(2, "status 0")};
    CHECK(untraced_processes(report).empty());
    report.processes[0].forks = 2;
    CHECK(untraced_processes(report).size() == 1);
    report.processes[0].borrowers_ended = 1;
    CHECK(untraced_processes(report).empty());
    report.processes[0].borrowers_ended = 0;
    report.processes[0].confined_children = 1;
    REQUIRE(untraced_processes(report).size() == 1);
    CHECK(untraced_processes(report)[0].find("1 process forked in a seccomp sandbox") == 0);
    report.processes[0].confined_children = 0;
    report.processes.pop_back();
    CHECK(untraced_processes(report).size() == 2);
}

TEST_CASE("the control must be found, named, and left by the suppressions") {
    Report report;
    Suppressions none, all, clean;
    all.add_text("leak:*", "text");
    CHECK_FALSE(why_control_fails(report, none).empty());

    report.processes = {sample_process()};
    Finding buffers = sample_leak(), blocks = sample_heap_leak();
    buffers.type = "lastref.control.leaked";
    buffers.created = blocks.created = {sample_frame("lastref_control_leak", "control.c", 1)};
    report.findings = {buffers, blocks};
    CHECK(why_control_fails(report, none).empty());
    CHECK(why_control_fails(report, all).find("too broad") != std::string::npos);
    CHECK(all.uses()[0].uses == 0);

    report.findings = {blocks};
    CHECK(why_control_fails(report, none).find("buffers") != std::string::npos);
    report.findings = {buffers};
    CHECK(why_control_fails(report, none).find("heap blocks") != std::string::npos);

    buffers.created = blocks.created = {sample_frame("", "", 0)};
    report.findings = {buffers, blocks};
    CHECK(why_control_fails(report, none).find("name") != std::string::npos);

    Finding accused = buffers;
    accused.type = "lastref.control.clean";
    report.findings = {buffers, blocks, accused};
    CHECK(why_control_fails(report, none).find("accused") != std::string::npos);
}
