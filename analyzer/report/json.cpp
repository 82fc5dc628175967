#include "report/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "report/json_tree.h"
#include "report/verdict.h"

namespace lastref {

using Json = nlohmann::ordered_json;

Json frame_json(const Frame& frame) {
    return {{"function", frame.function}, {"file", frame.file},         {"line", frame.line},
            {"module", frame.module},     {"build_id", frame.build_id}, {"offset", frame.offset},
            {"inlined", frame.inlined}};
}

namespace {

template <typename Items, typename Function>
Json array_of(const Items& items, Function function) {
    Json array = Json::array();
    for (const auto& item : items) array.push_back(function(item));
    return array;
}

Json stack_json(const Stack& stack) {
    return array_of(stack, frame_json);
}

Json culprit_json(const Culprit& culprit) {
    return {{"cause", cause_name(culprit.cause)}, {"confidence", culprit.confidence},
            {"ambiguous", culprit.ambiguous},     {"frame", frame_json(culprit.frame)},
            {"stack", stack_json(culprit.stack)}, {"explanation", culprit.explanation}};
}

Json history_json(const HistoryEvent& event) {
    Json json = {{"op", event.op},
                 {"time_ns", event.time_ns},
                 {"thread", event.thread},
                 {"count", event.count}};
    if (!event.hint.empty()) json["hint"] = event.hint;
    json["stack"] = stack_json(event.stack);
    return json;
}

Json life_json(const Life& life) {
    return {{"buffer", fmt::format("{:#x}", life.buffer)},
            {"size", life.size},
            {"events", array_of(life.events, history_json)},
            {"events_left_out", life.events_left_out}};
}

Json dependant_json(const Dependant& dependant) {
    return {{"type", dependant.type},
            {"count", dependant.count},
            {"bytes", dependant.bytes},
            {"cause", cause_name(dependant.cause)},
            {"created", stack_json(dependant.created)}};
}

Json final_count_json(const Finding& finding) {
    if (!finding.final_count_known) return {{"min", nullptr}, {"max", nullptr}};
    return {{"min", finding.final_count_min}, {"max", finding.final_count_max}};
}

Json finding_json(const Finding& finding) {
    Json json = {{"id", finding.id},
                 {"kind", kind_name(finding.kind)},
                 {"type", finding.type},
                 {"count", finding.count},
                 {"bytes", finding.bytes},
                 {"final_count", final_count_json(finding)},
                 {"process", finding.process},
                 {"recent", finding.recent},
                 {"peers_ended", finding.peers_ended},
                 {"culprit", nullptr}};
    if (finding.culprit) json["culprit"] = culprit_json(*finding.culprit);
    json["suspects"] = array_of(finding.suspects, culprit_json);
    json["created"] = stack_json(finding.created);
    json["example"] = life_json(finding.example);
    if (finding.example.peer) json["example"]["peer"] = life_json(*finding.example.peer);
    if (!finding.dependants.empty()) {
        json["dependants"] = array_of(finding.dependants, dependant_json);
    }
    json["reason"] = finding.reason;
    if (finding.failed) {
        const std::optional<uint64_t> used = finding.failed->used, limit = finding.failed->limit;
        json["used"] = used ? Json(*used) : Json(nullptr);
        json["limit"] =
            limit && *limit != FailedAllocation::kNoLimit ? Json(*limit) : Json(nullptr);
    }
    if (finding.standing != Standing::kUnjudged) json["standing"] = standing_name(finding.standing);
    if (finding.sampled) {
        json["sampled"] = {{"count", finding.sampled->count}, {"bytes", finding.sampled->bytes}};
        json["standard_error"] = {{"count", finding.sampled->count_error},
                                  {"bytes", finding.sampled->bytes_error}};
    }
    return json;
}

// A process that went on as another program (exec) has another trace from there: its end is not
// known here.
Json process_json(const Process& process) {
    const bool replaced = process.exit == "exec";
    Json json = {{"pid", process.pid},
                 {"exe", process.executable},
                 {"command", process.command},
                 {"level", process.level},
                 {"started", process.started},
                 {"ended", process.ended},
                 {"exit", replaced ? "unknown" : process.exit},
                 {"complete", process.complete},
                 {"events", process.events},
                 {"forks", process.forks},
                 {"borrowers_ended", process.borrowers_ended},
                 {"process_start", process.process_start},
                 {"sample_bytes", process.sample_bytes},
                 {"sample_interval", process.sample_interval},
                 {"ring_size", process.ring_size},
                 {"cut_chunks", process.cut_chunks},
                 {"cut_ns", process.cut_ns},
                 {"lost", process.lost},
                 {"trace", process.trace},
                 {"warnings", process.warnings}};
    if (process.confined_children != 0) json["confined_children"] = process.confined_children;
    if (replaced) json["replaced_by_exec"] = true;
    return json;
}

Json memory_json(const ByteTotals& totals) {
    return {{"allocations", totals.allocations},
            {"frees", totals.frees},
            {"peak_bytes", totals.peak_bytes},
            {"live_bytes", totals.live_bytes},
            {"live", totals.live}};
}

Json hooked_json(const HookedType& type) {
    return {{"type", type.type},
            {"seen", type.seen},
            {"unseen", type.unseen},
            {"coverage", type.coverage()},
            {"partial", type.partial.empty() ? Json(nullptr) : Json(type.partial)},
            {"counter_refused",
             type.counter_refused.empty() ? Json(nullptr) : Json(type.counter_refused)}};
}

Json summary_json(const Report& report, size_t shown) {
    const Summary& summary = report.summary;
    return {{"verdict", verdict_name(verdict_of(report))},
            {"buffers",
             {{"created", summary.buffers.created},
              {"ended", summary.buffers.ended},
              {"leaked", summary.buffers.leaked}}},
            {"heap", memory_json(summary.heap)},
            {"mappings", memory_json(summary.mappings)},
            {"coverage", summary.coverage},
            {"hooked", array_of(summary.hooked, hooked_json)},
            {"runtime", {{"blocks", summary.runtime_blocks}, {"bytes", summary.runtime_bytes}}},
            {"buffer_blocks", summary.buffer_blocks},
            {"recent", {{"blocks", summary.recent_blocks}, {"bytes", summary.recent_bytes}}},
            {"findings", report.findings.size()},
            {"findings_shown", shown}};
}

Json gate_json(const GateSummary& gate) {
    return {{"verdict", gate.verdict},
            {"reasons", gate.reasons},
            {"notes", gate.notes},
            {"suppressions",
             array_of(
                 gate.suppressions,
                 [](const SuppressionUse& use) -> Json {
                     return {{"suppression", use.text}, {"origin", use.origin}, {"uses", use.uses}};
                 })},
            {"gone", gate.gone}};
}

}  // namespace

std::string render_lives_json(const std::vector<LifeAt>& lives) {
    Json json = {{"schema", "lastref.report/1"}};
    json["lives"] = array_of(lives, [](const LifeAt& life) {
        Json one = life_json(life);
        one["trace"] = life.trace;
        one["type"] = life.type;
        one["end"] = life.end;
        return one;
    });
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

Json report_tree(const Report& report, size_t top) {
    const size_t shown = std::min(top, report.findings.size());
    Json findings = Json::array();
    for (size_t i = 0; i < shown; ++i) findings.push_back(finding_json(report.findings[i]));
    Json json = {{"schema", "lastref.report/1"}};
    json["processes"] = array_of(report.processes, process_json);
    json["summary"] = summary_json(report, shown);
    if (report.gate) json["gate"] = gate_json(*report.gate);
    json["findings"] = std::move(findings);
    return json;
}

std::string render_json(const Report& report, size_t top) {
    return report_tree(report, top).dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lastref
