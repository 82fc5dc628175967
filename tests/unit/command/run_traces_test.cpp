#include "command/run_traces.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "command/run_summary.h"
#include "support/catch.h"
#include "support/temporary_folder.h"

using namespace lastref;
using namespace lastref::testing;
namespace fs = std::filesystem;

namespace {

struct Folder : TemporaryFolder {
    void trace(const std::string& name, const RunId& run_id, pid_t pid, uint64_t started,
               trace::ExitKind exit_kind = trace::ExitKind::kNone) {
        trace::TraceHeader header = {};
        memcpy(header.magic, trace::kTraceMagic, sizeof header.magic);
        header.version = trace::kTraceVersion;
        header.pid = pid;
        header.start_monotonic_ns = started;
        header.exit_kind = exit_kind;
        header.chunks_end = 8192;
        memcpy(header.run_id, run_id.data(), run_id.size());
        std::ofstream(path / name).write(reinterpret_cast<char*>(&header), sizeof header);
    }
    trace::TraceHeader header(const std::string& name) {
        trace::TraceHeader header = {};
        std::ifstream(path / name).read(reinterpret_cast<char*>(&header), sizeof header);
        return header;
    }
};

constexpr RunId kOurs = {1, 2, 3};
constexpr RunId kOthers = {9};

}  // namespace

TEST_CASE("a run's traces are distinguished from everything else in the directory") {
    Folder folder;
    folder.trace("b", kOurs, 10, 200);
    folder.trace("a", kOurs, 11, 300);
    folder.trace("c", kOurs, 10, 100);
    folder.trace("other", kOthers, 12, 50);
    std::ofstream(folder.path / "text") << std::string(5000, 'x');
    std::ofstream(folder.path / "short") << "LASTREF\n";
    fs::create_directory(folder.path / "directory");
    fs::create_symlink(folder.path / "a", folder.path / "link");
    auto traces = find_run_traces(folder.path, kOurs);
    REQUIRE(traces.size() == 3);
    CHECK(fs::path(traces[0].path).filename() == "c");
    CHECK(fs::path(traces[1].path).filename() == "b");
    CHECK(fs::path(traces[2].path).filename() == "a");
    CHECK(find_run_traces(folder.path / "absent", kOurs).empty());
}

TEST_CASE("an end that the process could not record is added") {
    Folder folder;
    folder.trace("before-exec", kOurs, 10, 100, trace::ExitKind::kExec);
    folder.trace("main", kOurs, 10, 200);
    folder.trace("child", kOurs, 11, 300);
    auto traces = find_run_traces(folder.path, kOurs);
    record_end(traces, {.pid = 10, .error = 0, .status = 0, .signal = 9});
    CHECK(folder.header("main").exit_kind == trace::ExitKind::kSignal);
    CHECK(folder.header("main").exit_value == 9);
    CHECK(folder.header("before-exec").exit_kind == trace::ExitKind::kExec);
    CHECK(folder.header("child").exit_kind == trace::ExitKind::kNone);
}

TEST_CASE("an end that the process recorded stays") {
    Folder folder;
    folder.trace("main", kOurs, 10, 200, trace::ExitKind::kStatus);
    auto traces = find_run_traces(folder.path, kOurs);
    record_end(traces, {.pid = 10, .error = 0, .status = 3, .signal = 0});
    CHECK(folder.header("main").exit_value == 0);
    // But a signal that came afterwards is how it really ended.
    record_end(traces, {.pid = 10, .error = 0, .status = 0, .signal = 11});
    CHECK(folder.header("main").exit_kind == trace::ExitKind::kSignal);
}

TEST_CASE("a run's summary ends with the path and the command") {
    Folder folder;
    folder.trace("run one", kOurs, 10, 100);
    auto traces = find_run_traces(folder.path, kOurs);
    traces[0].lost[0] = 3;
    std::string path = folder.path / "run one";
    std::string text = run_summary(traces, 10);
    CHECK(text.find("incomplete: events lost: 3 (no space") != std::string::npos);
    CHECK(text.ends_with("trace: " + path + "\nlastref report '" + path + "'\n"));
}

TEST_CASE("the traces of many processes are named by a pattern that fits them alone") {
    Folder folder;
    for (int i = 0; i < 6; ++i) folder.trace("run." + std::to_string(i), kOurs, 10 + i, 100 + i);
    auto traces = find_run_traces(folder.path, kOurs);
    CHECK(run_summary(traces, 10)
              .ends_with("lastref report " + (folder.path / "run.").string() + "*\n"));
    folder.trace("run.other", kOthers, 50, 1);
    std::string text = run_summary(traces, 10);
    CHECK(text.ends_with("lastref report " + (folder.path / "run.0").string() + "\n"));
    CHECK(text.find("beside this one") != std::string::npos);
}

TEST_CASE("processes that left no trace are counted") {
    Folder folder;
    folder.trace("parent", kOurs, 10, 100);
    folder.trace("child", kOurs, 11, 200);
    auto traces = find_run_traces(folder.path, kOurs);
    CHECK(run_summary(traces, 10).find("no trace") == std::string::npos);
    traces[0].program = "/bin/parent";
    traces[0].children = 4;
    traces[0].borrowers_ended = 1;
    CHECK(run_summary(traces, 10)
              .find("2 child processes left no trace, first begun by parent (pid 10)") !=
          std::string::npos);
    CHECK(run_summary(traces, 10, false).find("no trace") == std::string::npos);
    traces[1].exit_kind = trace::ExitKind::kExec;
    traces[1].executed = "/no/such/program";
    CHECK(run_summary(traces, 10).find("1 process executed a program that left no trace") !=
          std::string::npos);
}

TEST_CASE("a message of the shim that nobody has read is in the summary, once") {
    Folder folder;
    for (int i = 0; i < 9; ++i) folder.trace("run." + std::to_string(i), kOurs, 10 + i, 100 + i);
    auto traces = find_run_traces(folder.path, kOurs);
    for (RunTrace& trace : traces) trace.said = "ignored this";
    traces[3].said = "and that";
    const std::string text = run_summary(traces, 10);
    CHECK(text.find("ignored this") == text.rfind("ignored this"));
    CHECK(text.find("1 other message") != std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 10);
    traces[8].said_aloud = true;
    CHECK(run_summary(traces, 10).find("ignored this") == std::string::npos);
    CHECK(run_summary(traces, 10).find("and that") != std::string::npos);
}
