#include "report/text_finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "report/text_comparison.h"
#include "report/text_stack.h"
#include "report/units.h"
#include "report/verdict.h"

namespace lastref {
namespace {

constexpr size_t kCreatedFrames = 12;
constexpr size_t kBriefFrames = 6;
constexpr size_t kRecordFrames = 5;
constexpr size_t kRecords = 16;
constexpr size_t kSuspects = 3;
constexpr size_t kSentenceWidth = 86;

// Lines under a verdict, the first of each group behind a label: '  created   ...'.
class Block {
public:
    explicit Block(std::string verdict) : text_(std::move(verdict)) { text_ += '\n'; }

    void label(std::string_view name) { label_ = name; }
    void line(std::string_view content, size_t indent = 0) {
        std::string text = fmt::format("  {:<9} {:{}}{}", label_, "", indent, content);
        text.erase(text.find_last_not_of(' ') + 1);
        text_ += text + '\n';
        label_ = {};
    }
    // A sentence, broken between words.
    void sentence(std::string_view words) {
        while (words.size() > kSentenceWidth) {
            size_t space = words.rfind(' ', kSentenceWidth);
            if (space == 0 || space == std::string_view::npos) break;
            line(words.substr(0, space));
            words.remove_prefix(space + 1);
        }
        line(words);
    }
    void lines(const std::vector<std::string>& contents, size_t indent = 0) {
        for (const std::string& content : contents) line(content, indent);
    }
    std::string text() { return std::move(text_); }

private:
    std::string text_;
    std::string_view label_;
};

std::string_view headline(Kind kind) {
    switch (kind) {
        case Kind::kRefcountLeak:
        case Kind::kHeapLeak:
        case Kind::kMappingLeak:
            return "LEAK";
        case Kind::kOverRelease:
            return "OVER-RELEASE";
        case Kind::kUseAfterRelease:
            return "USE AFTER RELEASE";
        case Kind::kFreedWhileReferenced:
            return "FREED WHILE REFERENCED";
        case Kind::kDoubleFree:
            return "DOUBLE FREE";
        case Kind::kGrowth:
            return "GROWTH";
        case Kind::kAllocationFailure:
            return "ALLOCATION FAILURE";
        case Kind::kHeld:
            return "held";
    }
    return "";
}

std::string objects(const Finding& finding) {
    if (finding.kind == Kind::kAllocationFailure) {
        std::string text = counted(finding.count, "request");
        return finding.type.empty() ? text : fmt::format("{} ({})", text, printable(finding.type));
    }
    if (finding.type == "heap") return counted(finding.count, "heap block");
    if (finding.type == "mapping") return counted(finding.count, "mapping");
    std::string text = counted(finding.count, "buffer");
    return finding.type.empty() ? text : text + " of type " + printable(finding.type);
}

std::string final_count(const Finding& finding) {
    if (finding.final_count_min == finding.final_count_max)
        return fmt::format("count {}", finding.final_count_min);
    return fmt::format("count {} to {}", finding.final_count_min, finding.final_count_max);
}

std::string verdict_line(const Finding& finding, bool has_ended) {
    std::string text = fmt::format("{}  {}, {}", headline(finding.kind), objects(finding),
                                   bytes_text(finding.bytes));
    if (finding.kind == Kind::kRefcountLeak || finding.kind == Kind::kHeld) {
        bool is_counted =
            finding.final_count_known && finding.type != "heap" && finding.type != "mapping";
        if (is_counted)
            text += fmt::format(", {} at {}", final_count(finding),
                                has_ended ? "exit" : "the end of the trace");
    } else if (finding.kind == Kind::kFreedWhileReferenced) {
        text += fmt::format(", {} when freed", final_count(finding));
    } else if (finding.kind == Kind::kOverRelease) {
        text += fmt::format(", {} at the lowest", final_count(finding));
    }
    if (finding.sampled)
        text += fmt::format(" (estimated from {} seen; standard error {:.0f}, {})",
                            finding.sampled->count, finding.sampled->count_error,
                            bytes_text(static_cast<uint64_t>(finding.sampled->bytes_error)));
    return text;
}

std::string spaced(std::string_view name) {  // extra-retain: extra retain
    std::string text(name);
    std::replace(text.begin(), text.end(), '-', ' ');
    return text;
}

void add_culprit(Block& block, const Culprit& culprit, std::string_view label) {
    block.label(label);
    block.line(fmt::format("{:<15} confidence {:.2f}{}", spaced(cause_name(culprit.cause)),
                           std::min(culprit.confidence, 0.99),
                           culprit.ambiguous ? ", ambiguous" : ""));
    block.line(frame_line(culprit.frame));
    if (!culprit.explanation.empty()) block.sentence(printable(culprit.explanation));
}

void add_suspects(Block& block, const Finding& finding) {
    if (finding.culprit) add_culprit(block, *finding.culprit, "culprit");
    size_t first = finding.culprit ? 1 : 0;  // the culprit is the first of the suspects
    size_t end = std::min(finding.suspects.size(), first + kSuspects);
    for (size_t i = first; i < end; ++i) add_culprit(block, finding.suspects[i], "suspect");
    if (finding.suspects.size() > end)
        block.line(fmt::format("({})", counted(finding.suspects.size() - end, "more suspect")));
}

std::string record_line(size_t number, const HistoryEvent& event, bool shows_count) {
    std::string text = fmt::format("#{} {:<9}", number, printable(event.op));
    if (shows_count) text += fmt::format(" count {:<3}", event.count);
    text +=
        fmt::format(" thread {}, {:.6f} s", event.thread, static_cast<double>(event.time_ns) / 1e9);
    if (!event.hint.empty()) text += fmt::format(", '{}'", printable(event.hint));
    return text;
}

// The newest `most`, and always the one that made it.
void add_records(Block& block, const Life& life, bool is_counted, size_t most) {
    const std::vector<HistoryEvent>& events = life.events;
    if (events.empty()) return;
    block.label("records");
    block.line(
        fmt::format("{} {:#x}, newest first:", is_counted ? "buffer" : "block", life.buffer));
    size_t shown = events.size() > most ? most - 1 : events.size();
    for (size_t number = 1; number <= events.size(); ++number) {
        if (number > shown && number < events.size()) continue;
        if (number > shown && (number > shown + 1 || life.events_left_out > 0))
            block.line(fmt::format(
                "({})", counted(events.size() - 1 - shown + life.events_left_out, "more record")));
        const HistoryEvent& event = events[events.size() - number];
        block.line(record_line(number, event, is_counted));
        block.lines(stack_lines(event.stack, kRecordFrames), 3);
    }
    if (events.size() <= most && life.events_left_out > 0)
        block.line(
            fmt::format("({} left out in between)", counted(life.events_left_out, "more record")));
}

void add_memory(Block& block, const FailedAllocation& failed) {
    std::string text;
    if (failed.used) text = bytes_text(*failed.used) + " in use";
    if (failed.limit) {
        if (!text.empty()) text += ", ";
        text += *failed.limit == FailedAllocation::kNoLimit
                    ? "no limit of the address space"
                    : "the address space is limited to " + bytes_text(*failed.limit);
    }
    if (text.empty()) return;
    block.label("memory");
    block.line(text);
}

void add_process(Block& block, const Process* process) {
    if (!process) return;
    block.label("process");
    block.line(process_label(*process));
}

}  // namespace

std::string finding_text(const Finding& finding, const Process* process, bool has_ended) {
    Block block(verdict_line(finding, has_ended));
    add_process(block, process);
    add_suspects(block, finding);
    if (!finding.reason.empty()) {
        block.label("reason");
        block.sentence(printable(finding.reason));
    }
    if (finding.failed) add_memory(block, *finding.failed);
    block.label(finding.kind == Kind::kAllocationFailure ? "failed" : "created");
    block.lines(stack_lines(finding.created, kCreatedFrames));
    if (finding.kind == Kind::kRefcountLeak && finding.peers_ended > 0)
        block.line(fmt::format("{} made here did end", counted(finding.peers_ended, "buffer")));
    for (const Dependant& one : finding.dependants) {
        if (&one == &finding.dependants.front()) block.label("keeps");
        block.line(fmt::format(
            "{} of type {}, {}, {}", counted(one.count, "buffer"), printable(one.type),
            bytes_text(one.bytes),
            one.cause == Cause::kCycle ? "which keep these" : "which are released when these are"));
    }
    if (finding.example.peer) {
        block.label("compared");
        block.lines(comparison_lines(finding.example, *finding.example.peer));
    }
    const bool is_counted = finding.type != "heap" && finding.type != "mapping";
    add_records(block, finding.example, is_counted, kRecords);
    return block.text();
}

std::string render_lives_text(const std::vector<LifeAt>& lives) {
    std::string text;
    for (const LifeAt& life : lives) {
        Block block(fmt::format(
            "buffer {:#x}{}{}, {}, {} in {}", life.buffer, life.type.empty() ? "" : " of type ",
            printable(life.type), bytes_text(life.size),
            life.end == "live" ? "live when the trace ends" : life.end, printable(life.trace)));
        add_records(block, life, true, SIZE_MAX);
        if (!text.empty()) text += '\n';
        text += block.text();
    }
    return text;
}

std::string brief_finding_text(const Finding& finding, const Process* process) {
    std::string verdict = verdict_line(finding, true);
    if (finding.recent > 0)
        verdict += fmt::format(", {} of them just before the end", finding.recent);
    if (finding.peers_ended > 0)
        verdict += fmt::format("; {} made here did end", finding.peers_ended);
    Block block(std::move(verdict));
    add_process(block, process);
    if (finding.culprit) add_culprit(block, *finding.culprit, "culprit");
    block.label("created");
    block.lines(stack_lines(finding.created, kBriefFrames));
    return block.text();
}

}  // namespace lastref
