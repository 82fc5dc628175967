#include "report/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "report/verdict.h"

namespace lastref {
namespace {

constexpr std::string_view kSchema = "lastref.report/1";

// An object with the members that `write` writes.
template <typename Write>
void object(JsonSink& to, Write&& write) {
    to.begin_object();
    write();
    to.end_object();
}
template <typename Write>
void object(JsonSink& to, std::string_view name, Write&& write) {
    to.key(name);
    object(to, write);
}

void optional_number(JsonSink& to, std::string_view name, std::optional<uint64_t> number) {
    to.key(name);
    if (number)
        to.value(*number);
    else
        to.null();
}

void text_or_null(JsonSink& to, std::string_view name, const std::string& text) {
    to.key(name);
    if (text.empty())
        to.null();
    else
        to.value(text);
}

void write_culprit(JsonSink& to, const Culprit& culprit) {
    object(to, [&] {
        to.member("cause", cause_name(culprit.cause));
        to.member("confidence", culprit.confidence);
        to.member("ambiguous", culprit.ambiguous);
        to.member("frame", culprit.frame);
        to.array("stack", culprit.stack);
        to.member("explanation", culprit.explanation);
    });
}

void write_event(JsonSink& to, const HistoryEvent& event) {
    object(to, [&] {
        to.member("op", event.op);
        to.member("time_ns", event.time_ns);
        to.member("thread", event.thread);
        to.member("count", event.count);
        if (!event.hint.empty()) to.member("hint", event.hint);
        to.array("stack", event.stack);
    });
}

// Its members.
void write_life(JsonSink& to, const Life& life) {
    to.member("buffer", fmt::format("{:#x}", life.buffer));
    to.member("size", life.size);
    to.array("events", life.events, [&](const HistoryEvent& event) { write_event(to, event); });
    to.member("events_left_out", life.events_left_out);
}

void write_dependant(JsonSink& to, const Dependant& dependant) {
    object(to, [&] {
        to.member("type", dependant.type);
        to.member("count", dependant.count);
        to.member("bytes", dependant.bytes);
        to.member("cause", cause_name(dependant.cause));
        to.array("created", dependant.created);
    });
}

void write_final_count(JsonSink& to, const Finding& finding) {
    object(to, "final_count", [&] {
        for (const auto& [name, count] : {std::pair("min", finding.final_count_min),
                                          std::pair("max", finding.final_count_max)}) {
            to.key(name);
            if (finding.final_count_known)
                to.value(count);
            else
                to.null();
        }
    });
}

void write_failed(JsonSink& to, const FailedAllocation& failed) {
    optional_number(to, "used", failed.used);
    const bool limited = failed.limit && *failed.limit != FailedAllocation::kNoLimit;
    optional_number(to, "limit", limited ? failed.limit : std::nullopt);
}

void write_sampled(JsonSink& to, const SampledFrom& sampled) {
    object(to, "sampled", [&] {
        to.member("count", sampled.count);
        to.member("bytes", sampled.bytes);
    });
    object(to, "standard_error", [&] {
        to.member("count", sampled.count_error);
        to.member("bytes", sampled.bytes_error);
    });
}

void write_finding(JsonSink& to, const Finding& finding) {
    object(to, [&] {
        to.member("id", finding.id);
        to.member("kind", kind_name(finding.kind));
        to.member("type", finding.type);
        to.member("count", finding.count);
        to.member("bytes", finding.bytes);
        write_final_count(to, finding);
        to.member("process", finding.process);
        to.member("recent", finding.recent);
        to.member("peers_ended", finding.peers_ended);
        to.key("culprit");
        if (finding.culprit)
            write_culprit(to, *finding.culprit);
        else
            to.null();
        to.array("suspects", finding.suspects,
                 [&](const Culprit& suspect) { write_culprit(to, suspect); });
        to.array("created", finding.created);
        object(to, "example", [&] {
            write_life(to, finding.example);
            if (finding.example.peer) {
                object(to, "peer", [&] { write_life(to, *finding.example.peer); });
            }
        });
        if (!finding.dependants.empty()) {
            to.array("dependants", finding.dependants,
                     [&](const Dependant& dependant) { write_dependant(to, dependant); });
        }
        to.member("reason", finding.reason);
        if (finding.failed) write_failed(to, *finding.failed);
        if (finding.standing != Standing::kUnjudged) {
            to.member("standing", standing_name(finding.standing));
        }
        if (finding.sampled) write_sampled(to, *finding.sampled);
    });
}

// A process that went on as another program (exec) has another trace from there: its end is not
// known here.
void write_process(JsonSink& to, const Process& process) {
    const bool replaced = process.exit == "exec";
    object(to, [&] {
        to.member("pid", process.pid);
        to.member("exe", process.executable);
        to.array("command", process.command);
        to.member("level", process.level);
        to.member("started", process.started);
        to.member("ended", process.ended);
        to.member("exit", replaced ? "unknown" : process.exit);
        to.member("complete", process.complete);
        to.member("events", process.events);
        to.member("forks", process.forks);
        to.member("borrowers_ended", process.borrowers_ended);
        to.member("process_start", process.process_start);
        to.member("sample_bytes", process.sample_bytes);
        to.member("sample_interval", process.sample_interval);
        to.member("ring_size", process.ring_size);
        to.member("cut_chunks", process.cut_chunks);
        to.member("cut_ns", process.cut_ns);
        to.member("lost", process.lost);
        to.member("trace", process.trace);
        to.array("warnings", process.warnings);
        if (process.confined_children != 0) {
            to.member("confined_children", process.confined_children);
        }
        if (replaced) to.member("replaced_by_exec", true);
    });
}

void write_memory(JsonSink& to, std::string_view name, const ByteTotals& totals) {
    object(to, name, [&] {
        to.member("allocations", totals.allocations);
        to.member("frees", totals.frees);
        to.member("peak_bytes", totals.peak_bytes);
        to.member("live_bytes", totals.live_bytes);
        to.member("live", totals.live);
    });
}

void write_hooked(JsonSink& to, const HookedType& type) {
    object(to, [&] {
        to.member("type", type.type);
        to.member("seen", type.seen);
        to.member("unseen", type.unseen);
        to.member("coverage", type.coverage());
        text_or_null(to, "partial", type.partial);
        text_or_null(to, "counter_refused", type.counter_refused);
    });
}

void write_blocks(JsonSink& to, std::string_view name, uint64_t blocks, uint64_t bytes) {
    object(to, name, [&] {
        to.member("blocks", blocks);
        to.member("bytes", bytes);
    });
}

void write_summary(JsonSink& to, const Report& report, size_t shown) {
    const Summary& summary = report.summary;
    object(to, "summary", [&] {
        to.member("verdict", verdict_name(verdict_of(report)));
        object(to, "buffers", [&] {
            to.member("created", summary.buffers.created);
            to.member("ended", summary.buffers.ended);
            to.member("leaked", summary.buffers.leaked);
        });
        write_memory(to, "heap", summary.heap);
        write_memory(to, "mappings", summary.mappings);
        to.member("coverage", summary.coverage);
        to.array("hooked", summary.hooked, [&](const HookedType& type) { write_hooked(to, type); });
        write_blocks(to, "runtime", summary.runtime_blocks, summary.runtime_bytes);
        to.member("buffer_blocks", summary.buffer_blocks);
        write_blocks(to, "recent", summary.recent_blocks, summary.recent_bytes);
        to.member("findings", report.findings.size());
        to.member("findings_shown", shown);
    });
}

void write_gate(JsonSink& to, const GateSummary& gate) {
    object(to, "gate", [&] {
        to.member("verdict", gate.verdict);
        to.array("reasons", gate.reasons);
        to.array("notes", gate.notes);
        to.array("suppressions", gate.suppressions, [&](const SuppressionUse& use) {
            object(to, [&] {
                to.member("suppression", use.text);
                to.member("origin", use.origin);
                to.member("uses", use.uses);
            });
        });
        to.array("gone", gate.gone);
    });
}

}  // namespace

void write_report(const Report& report, size_t top, JsonSink& to) {
    const size_t shown = std::min(top, report.findings.size());
    object(to, [&] {
        to.member("schema", kSchema);
        to.array("processes", report.processes,
                 [&](const Process& process) { write_process(to, process); });
        write_summary(to, report, shown);
        if (report.gate) write_gate(to, *report.gate);
        to.array("findings", std::span(report.findings).first(shown),
                 [&](const Finding& finding) { write_finding(to, finding); });
    });
}

std::string render_json(const Report& report, size_t top) {
    TextJson text;
    write_report(report, top, text);
    return text.take() + '\n';
}

std::string render_lives_json(const std::vector<LifeAt>& lives) {
    TextJson text;
    object(text, [&] {
        text.member("schema", kSchema);
        text.array("lives", lives, [&](const LifeAt& life) {
            object(text, [&] {
                write_life(text, life);
                text.member("trace", life.trace);
                text.member("type", life.type);
                text.member("end", life.end);
            });
        });
    });
    return text.take() + '\n';
}

}  // namespace lastref
