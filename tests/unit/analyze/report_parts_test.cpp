#include "analyze/report_parts.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/temporary_folder.h"
#include "support/trace_builder.h"

using namespace lastref;
using namespace lastref::testing;
namespace fs = std::filesystem;

namespace {

struct Folder : TemporaryFolder {
    // A trace of `blocks` blocks that leak.
    std::string trace(int32_t pid, unsigned blocks) {
        TraceBuilder builder;
        builder.header.pid = pid;
        for (unsigned i = 0; i < blocks; ++i)
            builder.malloc(0x1000 + 0x100 * uint64_t{i}, 16, builder.stack({0x1}));
        const std::vector<uint8_t> bytes = builder.bytes();
        return file(std::to_string(pid), {bytes.begin(), bytes.end()});
    }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream(path / name, std::ios::binary) << text;
        return path / name;
    }
};

ReportParts parts_with(const Options& options) {
    return ReportParts(options, std::make_shared<ElfFiles>());
}

}  // namespace

TEST_CASE("the report is in the order of its traces, whichever was read first") {
    Folder folder;
    std::vector<std::string> paths;
    for (int32_t pid = 1; pid <= 20; ++pid)
        paths.push_back(folder.trace(pid, static_cast<unsigned>(pid)));
    std::vector<double> shares;
    Options options;
    options.progress = [&](double share) { shares.push_back(share); };
    ReportParts parts = parts_with(options);
    for (const int early : {17, 3, 8}) parts.prepare(paths[static_cast<size_t>(early)]);
    const Result<Report> report = parts.report(paths);
    REQUIRE(static_cast<bool>(report));
    REQUIRE(report->processes.size() == 20);
    for (size_t i = 0; i < 20; ++i) CHECK(report->processes[i].pid == static_cast<int32_t>(i) + 1);
    CHECK(report->summary.heap.live == 210);
    for (const double share : shares) CHECK((share >= 0 && share <= 1));
}

TEST_CASE("a trace that was changed after it was read early is read again") {
    Folder folder;
    const std::string kept = folder.trace(1, 1), changed = folder.trace(2, 1);
    ReportParts parts = parts_with({});
    parts.prepare(kept);
    parts.prepare(changed);
    folder.trace(2, 400);
    const std::vector<std::string> paths = {kept, changed};
    const Result<Report> report = parts.report(paths);
    REQUIRE(static_cast<bool>(report));
    CHECK(report->summary.heap.live == 401);
}

TEST_CASE("a trace that is named twice is reported twice") {
    Folder folder;
    const std::vector<std::string> paths(2, folder.trace(1, 1));
    const Result<Report> report = parts_with({}).report(paths);
    REQUIRE(static_cast<bool>(report));
    CHECK(report->processes.size() == 2);
    CHECK(report->summary.heap.live == 2);
}

TEST_CASE("the first trace that can't be read is the error, or each is reported by itself") {
    Folder folder;
    const std::vector<std::string> paths = {folder.trace(1, 1), folder.file("a", "no trace"),
                                            folder.file("b", "no trace"), folder.trace(2, 1)};
    ReportParts strict = parts_with({});
    strict.prepare(paths[2]);
    const Result<Report> failed = strict.report(paths);
    REQUIRE_FALSE(static_cast<bool>(failed));
    CHECK(failed.error().file == paths[1]);

    std::vector<Error> unreadable;
    Options options;
    options.unreadable = &unreadable;
    const Result<Report> report = parts_with(options).report(paths);
    REQUIRE(static_cast<bool>(report));
    CHECK(report->processes.size() == 2);
    REQUIRE(unreadable.size() == 2);
    CHECK(unreadable[0].file == paths[1]);
    CHECK(unreadable[1].file == paths[2]);
}
