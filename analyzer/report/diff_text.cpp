#include "report/diff_text.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "report/same_findings.h"
#include "report/units.h"
#include "report/verdict.h"

namespace lastref {
namespace {

enum class Change { kNew, kGrown, kShrunk, kGone, kSame };
constexpr std::array<std::string_view, 5> kNames = {"new", "grown", "shrunk", "gone", "same"};

struct Pair {
    const SameFindings* before = nullptr;
    const SameFindings* after = nullptr;

    uint64_t count_before() const { return before ? before->count : 0; }
    uint64_t count_after() const { return after ? after->count : 0; }
    uint64_t bytes_before() const { return before ? before->bytes : 0; }
    uint64_t bytes_after() const { return after ? after->bytes : 0; }
    const SameFindings& either() const { return after ? *after : *before; }

    Change change() const {
        if (!before) return Change::kNew;
        if (!after) return Change::kGone;
        const std::pair was(count_before(), bytes_before()), is(count_after(), bytes_after());
        return is == was ? Change::kSame : is > was ? Change::kGrown : Change::kShrunk;
    }
};

// In the order of the report after, then what is gone in that of the report before.
std::vector<Pair> pairs(const std::vector<SameFindings>& before,
                        const std::vector<SameFindings>& after) {
    std::map<std::string, const SameFindings*> old;
    for (const SameFindings& same : before) old[same.id()] = &same;
    std::vector<Pair> all;
    for (const SameFindings& same : after) {
        const auto at = old.find(same.id());
        all.push_back({at == old.end() ? nullptr : at->second, &same});
        if (at != old.end()) at->second = nullptr;
    }
    for (const SameFindings& same : before)
        if (old[same.id()]) all.push_back({&same, nullptr});
    return all;
}

struct Gauge {
    std::string_view name;
    uint64_t before, after;
    bool is_bytes;
};

std::vector<Gauge> gauges(const Summary& before, const Summary& after) {
    return {
        {"buffers created", before.buffers.created, after.buffers.created, false},
        {"buffers leaked", before.buffers.leaked, after.buffers.leaked, false},
        {"heap allocations", before.heap.allocations, after.heap.allocations, false},
        {"heap peak", before.heap.peak_bytes, after.heap.peak_bytes, true},
        {"heap live at the end", before.heap.live_bytes, after.heap.live_bytes, true},
        {"mappings peak", before.mappings.peak_bytes, after.mappings.peak_bytes, true},
        {"mappings live at the end", before.mappings.live_bytes, after.mappings.live_bytes, true},
    };
}

std::string value(const Gauge& gauge, uint64_t number) {
    return gauge.is_bytes ? bytes_text(number) : std::to_string(number);
}

void add_doubt(std::string& text, const Report& report, std::string_view which) {
    const std::string reason = inconclusive_reason(report);
    if (!reason.empty()) text += fmt::format("note: {}: {}\n", which, reason);
}

}  // namespace

std::string render_diff_text(const Report& before, const Report& after) {
    const std::vector<SameFindings> old = same_findings(before), now = same_findings(after);
    std::array<size_t, 5> counts = {};
    std::string text, lines;
    const std::vector<Pair> all = pairs(old, now);
    for (size_t change = 0; change < kNames.size(); ++change) {
        for (const Pair& pair : all) {
            if (static_cast<size_t>(pair.change()) != change) continue;
            ++counts[change];
            if (pair.change() == Change::kSame) continue;
            const bool both = pair.before && pair.after;
            lines += fmt::format("{:<7} {}{}\n        {}  [{}]\n", kNames[change],
                                 describe(pair.either()),
                                 both ? fmt::format(" (before: {}, {})", pair.count_before(),
                                                    bytes_text(pair.bytes_before()))
                                      : "",
                                 place_text(pair.either().example(), ""), pair.either().id());
        }
    }
    add_doubt(text, before, "before");
    add_doubt(text, after, "after");
    text += fmt::format("findings: {} new, {} grown, {} shrunk, {} gone, {} the same\n", counts[0],
                        counts[1], counts[2], counts[3], counts[4]);
    text += lines;
    text += fmt::format("{:<26} {:>14} {:>14}\n", "gauges", "before", "after");
    for (const Gauge& gauge : gauges(before.summary, after.summary))
        text += fmt::format("  {:<24} {:>14} {:>14}\n", gauge.name, value(gauge, gauge.before),
                            value(gauge, gauge.after));
    return text;
}

std::string render_diff_json(const Report& before, const Report& after) {
    using Json = nlohmann::ordered_json;
    const std::vector<SameFindings> old = same_findings(before), now = same_findings(after);
    Json findings = Json::array(), values = Json::object();
    for (const Pair& pair : pairs(old, now)) {
        const Finding& finding = pair.either().example();
        findings.push_back(
            {{"id", pair.either().id()},
             {"change", kNames[static_cast<size_t>(pair.change())]},
             {"kind", kind_name(finding.kind)},
             {"type", finding.type},
             {"place", place_text(finding, "")},
             {"count", {{"before", pair.count_before()}, {"after", pair.count_after()}}},
             {"bytes", {{"before", pair.bytes_before()}, {"after", pair.bytes_after()}}}});
    }
    for (const Gauge& gauge : gauges(before.summary, after.summary)) {
        std::string name(gauge.name);
        for (char& letter : name)
            if (letter == ' ') letter = '_';
        values[name] = {{"before", gauge.before}, {"after", gauge.after}};
    }
    const Json json = {
        {"schema", "lastref.diff/1"},
        {"inconclusive",
         {{"before", inconclusive_reason(before)}, {"after", inconclusive_reason(after)}}},
        {"findings", findings},
        {"gauges", values}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace lastref
