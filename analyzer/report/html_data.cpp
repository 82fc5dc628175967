#include "report/html_data.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "report/json.h"
#include "report/usage_tree.h"

namespace lastref {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostSeries = 60, kMostTrees = 40, kMostSources = 400;
constexpr double kSmallestShare = 0.002;  // about a pixel's width

// Each text once: frames of one module or file share the longest of theirs.
class NameTable {
public:
    size_t add(const std::string& name) {
        const auto [entry, is_new] = known_.try_emplace(name, names_.size());
        if (is_new) names_.push_back(name);
        return entry->second;
    }
    Json take() { return std::move(names_); }

private:
    Json names_ = Json::array();
    std::unordered_map<std::string, size_t> known_;
};

// Each frame once.
class FrameTable {
public:
    size_t add(const Frame& frame) {
        const auto [entry, is_new] =
            known_.try_emplace({frame.function, frame.file, frame.line, frame.module,
                                frame.build_id, frame.offset, frame.inlined},
                               frames_.size());
        if (is_new) frames_.push_back(&frame);
        return entry->second;
    }
    // As html_data.h has them, their texts as indices into `names`.
    Json rows(NameTable& names) const {
        Json rows = Json::array();
        for (const Frame* const frame : frames_) {
            rows.push_back({names.add(frame->function), names.add(frame->file), frame->line,
                            names.add(frame->module), names.add(frame->build_id), frame->offset,
                            frame->inlined ? 1 : 0});
        }
        return rows;
    }

private:
    using Key = std::tuple<std::string_view, std::string_view, uint32_t, std::string_view,
                           std::string_view, uint64_t, bool>;
    std::vector<const Frame*> frames_;
    std::map<Key, size_t> known_;  // views of what frames_ has
};

// The report as a tree, with an index into a FrameTable for every frame.
class TreeJson final : public JsonSink {
public:
    explicit TreeJson(FrameTable& frames) : frames_(frames) {}
    using JsonSink::value;

    void begin_object() override { open_.push_back(&put(Json::object())); }
    void end_object() override { open_.pop_back(); }
    void begin_array() override { open_.push_back(&put(Json::array())); }
    void end_array() override { open_.pop_back(); }
    void key(std::string_view key) override { key_ = key; }
    void null() override { put(nullptr); }
    void value(bool value) override { put(value); }
    void value(uint64_t value) override { put(value); }
    void value(int64_t value) override { put(value); }
    void value(double value) override { put(value); }
    void value(std::string_view text) override { put(text); }
    void value(const Frame& frame) override { put(frames_.add(frame)); }

    Json take() { return std::move(root_); }

private:
    Json& put(Json json) {
        if (open_.empty()) return root_ = std::move(json);
        Json& in = *open_.back();
        if (in.is_object()) return in[key_] = std::move(json);
        in.push_back(std::move(json));
        return in.back();
    }

    FrameTable& frames_;
    Json root_;
    std::vector<Json*> open_;  // the root first; only the last one grows
    std::string key_;
};

// The lines around one, of a file that is as it seems: regular, and no bigger than sources are.
Json source_lines(const std::string& path, uint64_t line) {
    constexpr off_t kBiggest = 8 << 20;
    constexpr uint64_t kAround = 3;
    constexpr size_t kWidest = 240;
    struct stat status;
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kBiggest) {
        return nullptr;
    }
    std::ifstream file(path);
    Json lines = Json::array();
    const uint64_t first = line > kAround ? line - kAround : 1;
    std::string text;
    for (uint64_t number = 1; number <= line + kAround && std::getline(file, text); ++number) {
        if (number >= first) lines.push_back(text.substr(0, kWidest));
    }
    if (lines.size() <= line - first) return nullptr;
    return {{"first", first}, {"lines", std::move(lines)}};
}

class Sources {
public:
    void add(const Frame& frame) {
        const std::string& file = frame.file;
        const uint64_t line = frame.line;
        if (!file.starts_with('/') || line == 0 || tried_ >= kMostSources) return;
        const std::string key = file + ':' + std::to_string(line);
        if (lines_.contains(key)) return;
        ++tried_;
        Json lines = source_lines(file, line);
        if (!lines.is_null()) lines_[key] = std::move(lines);
    }
    Json take() { return std::move(lines_); }

private:
    Json lines_ = Json::object();
    size_t tried_ = 0;
};

Sources sources_of(const Report& report, size_t top) {
    Sources sources;
    for (const Finding& finding : std::span(report.findings).first(top)) {
        if (!finding.created.empty()) sources.add(finding.created.front());
        for (const Culprit& suspect : finding.suspects) sources.add(suspect.frame);
    }
    return sources;
}

Json series_json(const UsageReport& usage) {
    std::vector<const UsageSeries*> biggest;
    for (const UsageSeries& series : usage.series) biggest.push_back(&series);
    std::stable_sort(biggest.begin(), biggest.end(),
                     [](const auto* a, const auto* b) { return a->peak.bytes > b->peak.bytes; });
    biggest.resize(std::min(biggest.size(), kMostSeries));
    Json all = Json::array();
    for (const UsageSeries* series : biggest) {
        Json bytes = Json::array(), count = Json::array();
        for (const UsageAmount& most : series->most) {
            bytes.push_back(std::llround(most.bytes));
            count.push_back(std::llround(most.count));
        }
        bytes.push_back(std::llround(series->last.bytes));
        count.push_back(std::llround(series->last.count));
        all.push_back({{"type", series->type},
                       {"process", series->process},
                       {"step_ns", series->step_ns},
                       {"peak_bytes", std::llround(series->peak.bytes)},
                       {"bytes", std::move(bytes)},
                       {"count", std::move(count)}});
    }
    return all;
}

Json tree_json(const UsageTree& tree, const UsageReport& usage, bool is_root, FrameTable& frames) {
    Json inner = Json::array();
    for (const auto& [key, one] : tree.inner)
        inner.push_back(tree_json(*one, usage, false, frames));
    Json values = Json::array();
    for (const double bytes : tree.bytes) values.push_back(std::max(0LL, std::llround(bytes)));
    Json frame = nullptr;
    if (!is_root) frame = frames.add(usage.frames[tree.frame]);
    return Json::array({std::move(frame), std::move(values), std::move(inner)});
}

Json trees_json(const UsageReport& usage, FrameTable& frames) {
    std::vector<double> allocated(usage.types.size(), 0);
    for (const UsageSite& site : usage.sites) allocated[site.type] += site.allocated.bytes;
    std::vector<uint32_t> biggest;
    for (uint32_t type = 0; type < usage.types.size(); ++type) biggest.push_back(type);
    std::stable_sort(biggest.begin(), biggest.end(),
                     [&](uint32_t a, uint32_t b) { return allocated[a] > allocated[b]; });
    biggest.resize(std::min(biggest.size(), kMostTrees));
    Json trees = Json::array();
    for (const uint32_t type : biggest) {
        const UsageTree tree = usage_tree(usage, type, kSmallestShare);
        trees.push_back({{"type", type}, {"tree", tree_json(tree, usage, true, frames)}});
    }
    return trees;
}

// '<' ends a script's text only together with what follows; in JSON it occurs in strings alone.
std::string without_tags(const std::string& json) {
    std::string text;
    text.reserve(json.size() + json.size() / 16);
    for (const char c : json) {
        if (c == '<')
            text += "\\u003c";
        else
            text += c;
    }
    return text;
}

}  // namespace

std::string html_data(const Report& report, size_t top) {
    const UsageReport& usage = report.usage.value();
    Json json;
    FrameTable frames;
    TreeJson tree(frames);
    write_report(report, top, tree);
    json["report"] = tree.take();
    json["sources"] = sources_of(report, std::min(top, report.findings.size())).take();
    json["usage"] = {{"types", usage.types},
                     {"series", series_json(usage)},
                     {"trees", trees_json(usage, frames)}};
    NameTable names;
    json["frames"] = frames.rows(names);
    json["names"] = names.take();
    return without_tags(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace lastref
