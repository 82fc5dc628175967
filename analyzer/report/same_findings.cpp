#include "report/same_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "report/text_stack.h"
#include "report/units.h"
#include "report/verdict.h"

namespace lastref {
namespace {

bool is_below(const std::string& path, std::string_view root) {
    return !root.empty() && path.starts_with(root) &&
           (root.ends_with('/') || (path.size() > root.size() && path[root.size()] == '/'));
}

std::string normal_path(const Frame& frame) {
    return std::filesystem::path(frame.file).lexically_normal().string();
}

std::string spaced(std::string_view name) {
    std::string text(name);
    std::replace(text.begin(), text.end(), '-', ' ');
    return text;
}

std::string objects(const SameFindings& same) {
    const Finding& finding = same.example();
    if (finding.type == "heap") return counted(same.count, "heap block");
    if (finding.type == "mapping") return counted(same.count, "mapping");
    std::string text = counted(same.count, "buffer");
    return finding.type.empty() ? text : text + " of type " + printable(finding.type);
}

}  // namespace

std::vector<SameFindings> same_findings(const Report& report) {
    std::vector<SameFindings> all;
    std::unordered_map<std::string, size_t> known;
    for (const Finding& finding : report.findings) {
        if (!is_fault(finding)) continue;
        auto [at, is_new] = known.try_emplace(finding.id, all.size());
        if (is_new) all.emplace_back();
        SameFindings& same = all[at->second];
        same.findings.push_back(&finding);
        same.count += finding.count;
        same.bytes += finding.bytes;
    }
    return all;
}

const Frame* place_of(const Finding& finding, std::string_view root) {
    const bool by_culprit = finding.culprit && finding.kind != Kind::kHeapLeak;
    if (by_culprit && !finding.culprit->frame.file.empty()) return &finding.culprit->frame;
    const Frame* with_file = nullptr;
    for (const Frame& frame : finding.created) {
        if (frame.file.empty()) continue;
        if (is_below(normal_path(frame), root)) return &frame;
        if (!with_file) with_file = &frame;
    }
    if (with_file) return with_file;
    if (by_culprit) return &finding.culprit->frame;
    return finding.created.empty() ? nullptr : &finding.created[0];
}

std::string source_path(const Frame& frame, std::string_view root) {
    std::string path = normal_path(frame);
    if (is_below(path, root)) path.erase(0, root.size() + (root.ends_with('/') ? 0 : 1));
    return path;
}

std::string place_text(const Finding& finding, std::string_view root) {
    const Frame* frame = place_of(finding, root);
    if (!frame) return "(no stack)";
    std::string function = short_function(frame->function);
    if (frame->file.empty())
        return fmt::format("{}+{:#x} ({})", printable(base_name(frame->module)), frame->offset,
                           function);
    return fmt::format("{}:{} ({})", printable(source_path(*frame, root)), frame->line, function);
}

std::string describe(const SameFindings& same) {
    const Finding& finding = same.example();
    std::string text = spaced(kind_name(finding.kind));
    if (finding.culprit) text += ", " + spaced(cause_name(finding.culprit->cause));
    text += fmt::format(": {}, {}", objects(same), bytes_text(same.bytes));
    if (same.findings.size() > 1)
        text += fmt::format(", in {}", counted(same.findings.size(), "process"));
    return text;
}

std::string describe_in_full(const SameFindings& same, std::string_view root) {
    const Finding& finding = same.example();
    std::string text = describe(same) + ", " + place_text(finding, root);
    if (finding.culprit) text += ": " + finding.culprit->explanation;
    return text;
}

}  // namespace lastref
