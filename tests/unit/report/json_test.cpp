#include "report/json.h"

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "unit/report/sample_report.h"

using namespace lastref;
using namespace lastref::testing;
using nlohmann::json;

TEST_CASE("a JSON report follows its schema") {
    json report = json::parse(render_json(sample_report()));
    CHECK(report["schema"] == "lastref.report/1");

    json process = report["processes"][0];
    CHECK(process["pid"] == 4711);
    CHECK(process["exe"] == "/opt/server");
    CHECK(process["command"] == json({"server", "--port", "0"}));
    CHECK(process["exit"] == "status 0");
    CHECK(process["complete"] == true);
    CHECK(process["events"] == 9000);
    CHECK(process["lost"] == 0);

    CHECK(report["summary"]["verdict"] == "faults");
    CHECK(report["summary"]["buffers"] ==
          json({{"created", 2000}, {"ended", 1000}, {"leaked", 1000}}));
    CHECK(report["summary"]["heap"]["live_bytes"] == 3482);
    CHECK(report["summary"]["coverage"] == 1.0);

    json leak = report["findings"][0];
    CHECK(leak["id"] == "f00d");
    CHECK(leak["kind"] == "refcount-leak");
    CHECK(leak["final_count"] == json({{"min", 1}, {"max", 1}}));
    CHECK(leak["culprit"]["cause"] == "extra-retain");
    CHECK(leak["culprit"]["frame"]["file"] == "/src/frame_encoder.cpp");
    CHECK(leak["culprit"]["frame"]["line"] == 17);
    CHECK(leak["culprit"]["frame"]["inlined"] == false);
    CHECK(leak["suspects"].size() == 1);
    CHECK(leak["created"][0]["function"] == "ProtocolEncoder::encode()");
    CHECK(leak["example"]["buffer"] == "0x7f0000001000");
    CHECK(leak["example"]["events"][0]["op"] == "create");
    CHECK(leak["example"]["events"][0]["stack"].size() == 1);

    CHECK(report["findings"][1]["culprit"].is_null());
    CHECK(report["findings"][1]["suspects"].is_array());
}

TEST_CASE("an empty JSON report has empty arrays") {
    json report = json::parse(render_json(Report{}));
    CHECK(report["processes"] == json::array());
    CHECK(report["findings"] == json::array());
    CHECK(report["summary"]["verdict"] == "inconclusive");
}

TEST_CASE("a JSON report is valid UTF-8 whatever the names hold") {
    Report report = sample_report();
    report.processes[0].command = {"bad \xff\xfe", "caf\xc3\xa9", std::string("nul\0", 4)};
    Frame odd = report.findings[0].created[0];
    odd.file = "\xc3";
    report.findings[0].created = {odd};
    json parsed = json::parse(render_json(report));
    CHECK(parsed["processes"][0]["command"][0] == "bad \xef\xbf\xbd\xef\xbf\xbd");
    CHECK(parsed["processes"][0]["command"][1] == "caf\xc3\xa9");
    CHECK(parsed["findings"][0]["created"][0]["file"] == "\xef\xbf\xbd");
}

TEST_CASE("--top cuts the findings of a JSON report, not their number") {
    json report = json::parse(render_json(sample_report(), 1));
    CHECK(report["findings"].size() == 1);
    CHECK(report["summary"]["findings"] == 2);
    CHECK(report["summary"]["findings_shown"] == 1);
}

TEST_CASE("a JSON report is laid out as JSON libraries do it, stacks that share frames too") {
    Report report = sample_report();
    report.findings[0].suspects = {*report.findings[0].culprit};
    report.findings.push_back(report.findings[0]);
    report.findings[0].reason = "\"quoted\"\tand \\ \x01";
    const std::string text = render_json(report);
    CHECK(text == nlohmann::ordered_json::parse(text).dump(2) + '\n');
}
