#include "analyze/runtime_blocks.h"

#include "support/catch.h"
#include "support/fake_frames.h"

using namespace lastref;
using namespace lastref::testing;

namespace {

constexpr const char* kLibc = "/lib/x86_64-linux-gnu/libc.so.6";
constexpr const char* kLibstdcxx = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

}  // namespace

TEST_CASE("what the runtimes keep is counted, not reported") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "_IO_file_doallocate", kLibc);
    frames.name(0x2, "printf", kLibc);
    frames.name(0x3, "main");
    frames.name(0x4, "allocate_dtv", kLoader);
    frames.name(0x5, "pthread_create", kLibc);
    frames.name(0x6, "(anonymous namespace)::pool::pool()", kLibstdcxx);
    frames.name(0x7, "call_init", kLoader);
    builder.malloc(0x1000, 1024, builder.stack({0x1, 0x2, 0x3}));
    builder.malloc(0x2000, 272, builder.stack({0x4, 0x5, 0x3}));
    builder.malloc(0x3000, 72704, builder.stack({0x6, 0x7}));
    const Report report = report_of(builder, frames);
    CHECK(report.findings.empty());
    CHECK(report.summary.runtime_blocks == 3);
    CHECK(report.summary.runtime_bytes == 1024 + 272 + 72704);
}

TEST_CASE("what a program asks the runtimes for is the program's") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "strdup", kLibc);
    frames.name(0x2, "operator new(unsigned long)", kLibstdcxx);
    frames.name(0x3, "main");
    frames.name(0x4, "fopen", kLibc);
    builder.malloc(0x1000, 10, builder.stack({0x1, 0x3}));
    builder.malloc(0x2000, 20, builder.stack({0x2, 0x3}));
    builder.malloc(0x3000, 30, builder.stack({0x4, 0x3}));
    const Report report = report_of(builder, frames);
    CHECK(findings_of(report, Kind::kHeapLeak).size() == 3);
    CHECK(report.summary.runtime_blocks == 0);
}

TEST_CASE("lastref's own frames do not hide whose block it is") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "malloc", "own");
    frames.name(0x2, "main");
    builder.malloc(0x1000, 10, builder.stack({0x1, 0x2}));
    const Report report = report_of(builder, frames);
    REQUIRE(report.findings.size() == 1);
    REQUIRE(report.findings[0].created.size() == 1);
    CHECK(report.findings[0].created[0].function == "main");
}

TEST_CASE(
    "what libc made for itself and points to is the runtime's, what it made for others is not") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x10, "getpwuid", "/lib/libc.so.6");
    frames.name(0x20, "main");
    const uint32_t inside = builder.stack({0x10, 0x20}), outside = builder.stack({0x20});
    builder.malloc(0x1000, 100, inside).malloc(0x2000, 100, inside).malloc(0x3000, 100, outside);
    builder.libc_data({0x3000, 0x1000}).libc_data({0x4000});
    const Report report = report_of(builder, frames);
    CHECK(report.summary.runtime_blocks == 1);
    CHECK(report.summary.runtime_bytes == 100);
    const auto leaks = findings_of(report, Kind::kHeapLeak);
    REQUIRE(leaks.size() == 2);
    CHECK((leaks[0].example.buffer == 0x2000 || leaks[1].example.buffer == 0x2000));
}

TEST_CASE("what a runtime makes while the program loads it is the runtime's") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "", kLibstdcxx);
    frames.name(0x2, "call_init", kLoader);
    frames.name(0x3, "_dl_catch_exception", kLibc);
    frames.name(0x4, "dlopen", kLibc);
    frames.name(0x5, "main");
    frames.name(0x6, "plugin_start", "/opt/plugin.so");
    builder.malloc(0x1000, 72704, builder.stack({0x1, 0x2, 0x3, 0x2, 0x4, 0x5}));
    builder.malloc(0x2000, 10, builder.stack({0x6, 0x2, 0x3, 0x2, 0x4, 0x5}));
    const Report report = report_of(builder, frames);
    CHECK(report.summary.runtime_blocks == 1);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].created[0].function == "plugin_start");
}

TEST_CASE("the environment keeps what setenv and putenv make") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "__add_to_environ", kLibc);
    frames.name(0x2, "__tsearch", kLibc);
    frames.name(0x3, "putenv", kLibc);
    frames.name(0x4, "main");
    builder.malloc(0x1000, 360, builder.stack({0x1, 0x4}));
    builder.malloc(0x2000, 24, builder.stack({0x2, 0x1, 0x4}));
    builder.malloc(0x3000, 30, builder.stack({0x3, 0x4}));
    const Report report = report_of(builder, frames);
    CHECK(report.findings.empty());
    CHECK(report.summary.runtime_blocks == 3);
}

TEST_CASE("Go's heap is an allocator's mapping") {
    TraceBuilder builder;
    FakeFrames frames;
    frames.name(0x1, "x_cgo_mmap", "/bin/program");
    frames.name(0x2, "runtime.sysReserve", "/bin/program");
    builder.mmap(0x100000, 1 << 26, builder.stack({0x1, 0x2}));
    CHECK(report_of(builder, frames).findings.empty());
}
