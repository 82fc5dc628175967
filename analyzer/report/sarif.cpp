#include "report/sarif.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "report/same_findings.h"
#include "report/text_stack.h"

#ifndef LASTREF_VERSION
#define LASTREF_VERSION "unknown"
#endif

namespace lastref {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

// A URI reference: bytes that have no place in a path are percent-encoded (RFC 3986).
std::string as_uri(const std::string& path) {
    static constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/+@!$&'()*,;=";
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string uri = path.starts_with('/') ? "file://" : "";
    for (const char letter : path) {
        if (kPlain.find(letter) != std::string_view::npos) {
            uri += letter;
        } else {
            const auto byte = static_cast<unsigned char>(letter);
            uri += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return uri;
}

Json physical_location(const Frame& frame, const std::string& root) {
    const std::string path = source_path(frame, root);
    Json artifact = {{"uri", as_uri(path)}};
    if (!path.starts_with('/')) artifact["uriBaseId"] = "%SRCROOT%";
    Json location = {{"artifactLocation", artifact}};
    if (frame.line > 0) location["region"] = {{"startLine", frame.line}};
    return location;
}

Json location_json(const Frame* frame, const std::string& root, const std::string& message) {
    Json location = Json::object();
    if (frame && !frame->file.empty())
        location["physicalLocation"] = physical_location(*frame, root);
    if (frame)
        location["logicalLocations"] = Json::array(
            {{{"fullyQualifiedName", short_function(frame->function)}, {"kind", "function"}}});
    if (!message.empty()) location["message"] = {{"text", message}};
    return location;
}

// The example's life, oldest first: each event at its telling frame.
Json code_flow(const Finding& finding, const std::string& root) {
    Json steps = Json::array();
    for (const HistoryEvent& event : finding.example.events) {
        Finding step;
        step.created = event.stack;
        const std::string words = event.op + ", count " + std::to_string(event.count) +
                                  ", thread " + std::to_string(event.thread);
        steps.push_back({{"location", location_json(place_of(step, root), root, words)},
                         {"executionOrder", steps.size() + 1}});
    }
    return {{"threadFlows", Json::array({{{"locations", steps}}})}};
}

const char* baseline_state(Standing standing) {
    if (standing == Standing::kGrown) return "updated";
    return standing == Standing::kKnown ? "unchanged" : "new";
}

Json result_json(const SameFindings& same, const Report& report) {
    const Finding& finding = same.example();
    const bool fails = counts_as_failure(finding.standing);
    Json result = {{"ruleId", kind_name(finding.kind)},
                   {"level", fails ? "error" : "note"},
                   {"message", {{"text", describe_in_full(same, report.root)}}},
                   {"locations",
                    Json::array({location_json(place_of(finding, report.root), report.root, "")})},
                   {"partialFingerprints", {{"lastrefId/v1", same.id()}}},
                   {"occurrenceCount", std::max<uint64_t>(same.count, 1)}};
    if (!finding.example.events.empty())
        result["codeFlows"] = Json::array({code_flow(finding, report.root)});
    if (finding.standing != Standing::kUnjudged) {
        result["baselineState"] = baseline_state(finding.standing);
        result["suppressions"] = Json::array();
        if (is_set_aside(finding.standing))
            result["suppressions"].push_back({{"kind", "external"}});
    }
    return result;
}

Json rules_json(const std::vector<SameFindings>& all) {
    std::set<std::string_view> kinds;
    for (const SameFindings& same : all) kinds.insert(kind_name(same.example().kind));
    Json rules = Json::array();
    for (const std::string_view kind : kinds) {
        std::string words(kind);
        std::replace(words.begin(), words.end(), '-', ' ');
        rules.push_back({{"id", kind}, {"name", kind}, {"shortDescription", {{"text", words}}}});
    }
    return rules;
}

}  // namespace

std::string render_sarif(const Report& report, size_t top) {
    std::vector<SameFindings> all = same_findings(report);
    if (all.size() > top) all.resize(top);
    Json results = Json::array();
    for (const SameFindings& same : all) results.push_back(result_json(same, report));
    Json run = {{"tool",
                 {{"driver",
                   {{"name", "lastref"},
                    {"semanticVersion", LASTREF_VERSION},
                    {"rules", rules_json(all)}}}}}};
    if (!report.root.empty())
        run["originalUriBaseIds"] = {{"%SRCROOT%", {{"uri", as_uri(report.root) + '/'}}}};
    if (report.gate) {
        Json notes = Json::array();
        if (report.gate->verdict == "inconclusive")
            for (const std::string& reason : report.gate->reasons)
                notes.push_back({{"level", "error"}, {"message", {{"text", reason}}}});
        run["invocations"] =
            Json::array({{{"executionSuccessful", report.gate->verdict != "inconclusive"},
                          {"toolExecutionNotifications", notes}}});
    }
    run["results"] = std::move(results);
    const Json log = {{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lastref
