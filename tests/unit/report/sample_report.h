// A report as analysis makes it of the demonstration: what the writers' tests start from.
#ifndef LASTREF_TESTS_UNIT_REPORT_SAMPLE_REPORT_H
#define LASTREF_TESTS_UNIT_REPORT_SAMPLE_REPORT_H

#include "analyze/findings.h"

namespace lastref::testing {

inline Frame sample_frame(const std::string& function, const std::string& file, uint32_t line) {
    return {.function = function,
            .file = "/src/" + file,
            .line = line,
            .module = "/opt/server",
            .build_id = "ab12",
            .offset = 0x1000 + line};
}

inline Process sample_process() {
    return {.pid = 4711,
            .trace = "/tmp/game.trace",
            .executable = "/opt/server",
            .command = {"server", "--port", "0"},
            .level = "paranoid",
            .started = "2024-05-01T10:00:00Z",
            .ended = "2024-05-01T10:00:10Z",
            .exit = "status 0",
            .complete = true,
            .events = 9000,
            .lost = 0,
            .warnings = {}};
}

inline Finding sample_leak() {
    Culprit culprit{
        .cause = Cause::kExtraRetain,
        .confidence = 0.99,
        .ambiguous = false,
        .frame = sample_frame("FrameEncoder::encode(ByteBuf&)", "frame_encoder.cpp", 17),
        .stack = {sample_frame("FrameEncoder::encode(ByteBuf&)", "frame_encoder.cpp", 17),
                  sample_frame("main", "server.cpp", 80)},
        .explanation = "retained twice here in 1000 of 1000 leaked buffers"};
    Finding finding;
    finding.id = "f00d";
    finding.kind = Kind::kRefcountLeak;
    finding.type = "ByteBuf";
    finding.count = 1000;
    finding.bytes = 256000;
    finding.final_count_min = finding.final_count_max = 1;
    finding.culprit = culprit;
    finding.suspects = {culprit};
    finding.created = {sample_frame("ProtocolEncoder::encode()", "protocol_encoder.cpp", 16),
                       sample_frame("main", "server.cpp", 78)};
    finding.example.buffer = 0x7f0000001000;
    finding.example.size = 256;
    for (const char* op : {"create", "retain", "release"})
        finding.example.events.push_back(
            {.op = op,
             .time_ns = 1500000000,
             .thread = 2,
             .count = 1,
             .hint = "",
             .stack = {sample_frame(std::string("at_") + op + "()", "pipeline.cpp", 5)}});
    return finding;
}

inline Finding sample_heap_leak() {
    Finding finding;
    finding.id = "beef";
    finding.kind = Kind::kHeapLeak;
    finding.type = "heap";
    finding.count = 12;
    finding.bytes = 3482;
    finding.created = {sample_frame("load_config()", "config.cpp", 9)};
    return finding;
}

inline Report sample_report() {
    Report report;
    report.processes = {sample_process()};
    report.summary.buffers = {.created = 2000, .ended = 1000, .leaked = 1000};
    report.summary.heap = {
        .allocations = 500, .frees = 488, .peak_bytes = 70000, .live_bytes = 3482, .live = 12};
    report.findings = {sample_leak(), sample_heap_leak()};
    return report;
}

}  // namespace lastref::testing

#endif  // LASTREF_TESTS_UNIT_REPORT_SAMPLE_REPORT_H
