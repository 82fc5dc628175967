#include "command/info.h"

#include <string.h>

#include <array>
#include <iterator>
#include <memory>
#include <string>

#include "analyze/heap_gaps.h"
#include "analyze/lifecycle.h"
#include "command/exit_status.h"
#include "command/line_output.h"
#include "command/ring_cut.h"
#include "pack/open_trace.h"
#include "read/event_merger.h"
#include "read/exit_state.h"
#include "read/op_names.h"
#include "read/trace_file.h"
#include "report/units.h"

namespace lastref {
namespace {

using namespace trace;

template <typename... Arguments>
void line(LineOutput& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    out.text(fmt::format(format, std::forward<Arguments>(arguments)...));
    out.end_line();
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string hexadecimal(const uint8_t (&bytes)[16]) {
    std::string text;
    for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
    return text;
}

bool is_set(const uint8_t (&bytes)[16]) {
    for (const uint8_t byte : bytes) {
        if (byte != 0) return true;
    }
    return false;
}

std::string notes(uint32_t bits) {
    std::string text;
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        const std::string_view meaning = note_text(static_cast<Note>(bit));
        if ((bits & bit) == 0 || meaning.empty()) continue;
        if (!text.empty()) text += "; ";
        text += meaning;
    }
    return text;
}

void write_header(TraceFile& trace, LineOutput& out) {
    const TraceHeader& header = trace.header();
    line(out, "trace       {}", trace.path());
    line(out, "version     {}", header.version);
    line(out, "program     {}", trace.executable());
    line(out, "command     {}", joined(trace.command()));
    line(out, "process     {} (parent {})", header.pid, header.parent_pid);
    line(out, "level       {}", level_name(header.level));
    line(out, "clock       {}", header.clock == Clock::kTsc ? "time stamp counter" : "monotonic");
    line(out, "depth       {} frames", header.depth);
    line(out, "trace id    {}", hexadecimal(header.trace_id));
    if (is_set(header.run_id)) line(out, "run id      {}", hexadecimal(header.run_id));
    if (is_set(header.parent_trace_id)) {
        line(out, "forked from {}", hexadecimal(header.parent_trace_id));
    }
    line(out, "exit        {}", exit_state(header).text);
    if (const std::string text = notes(header.notes); !text.empty()) {
        line(out, "notes       {}", text);
    }
    const std::string said(header.said, strnlen(header.said, sizeof(header.said)));
    if (!said.empty()) line(out, "said        {}", said);
}

struct Counted {
    std::array<uint64_t, static_cast<size_t>(Op::kOpCount)> by_op{};
    uint64_t events = 0;
    uint64_t last_ticks = 0;
    uint64_t stacks_missing = 0;
    std::string heap_gaps;
};

Counted count_events(TraceFile& trace) {
    Counted counted;
    EventMerger merger(trace);
    const bool from_start = begins_with_process(trace);
    Lifecycle lifecycle(1, from_start, is_whole(trace));
    while (const Event* const event = merger.next()) {
        lifecycle.handle(*event);
        ++counted.by_op[static_cast<size_t>(event->op)];
        ++counted.events;
        counted.last_ticks = event->ticks;
    }
    counted.stacks_missing = merger.stacks_missing();
    counted.heap_gaps =
        gaps_text(telling_gaps(lifecycle.heap().gaps(), trace, from_start, is_whole(trace)));
    return counted;
}

std::string counter_name(Op op) {
    return std::string(op_name(op));
}

void write_counters(TraceFile& trace, const Counted& counted, LineOutput& out) {
    line(out, "events      {}", counted.events);
    line(out, "last event  {:.6f} s after the start",
         static_cast<double>(trace.to_ns(counted.last_ticks)) / 1e9);
    for (size_t i = 0; i < counted.by_op.size(); ++i) {
        if (counted.by_op[i] == 0) continue;
        line(out, "  {:<16} {:>14}", counter_name(static_cast<Op>(i)), counted.by_op[i]);
    }
    uint64_t chunks = 0;
    for (const Log& log : trace.logs()) chunks += log.chunks.size();
    line(out, "file        {} bytes, {} logs, {} chunks, {:.1f} bytes per event", trace.file_size(),
         trace.logs().size(), chunks,
         counted.events != 0
             ? static_cast<double>(trace.file_size()) / static_cast<double>(counted.events)
             : 0.0);
}

void write_losses(TraceFile& trace, const Counted& counted, LineOutput& out) {
    const DamageList& damage = trace.damage();
    const bool stopped = (trace.header().notes & (kNoteStopped | kNoteLateStart)) != 0;
    const bool forked = (trace.header().notes & kNoteInherited) != 0;
    const bool complete = trace.lost() == 0 && damage.empty() && counted.stacks_missing == 0 &&
                          !stopped && (counted.events != 0 || forked) && counted.heap_gaps.empty();
    line(out, "complete    {}", complete ? "yes" : "no");
    line(out, "lost        {}", trace.lost());
    if (!counted.heap_gaps.empty()) line(out, "gaps        {}", counted.heap_gaps);
    for (uint32_t i = 0; i < static_cast<uint32_t>(Loss::kCount); ++i) {
        const uint64_t count = trace.header().lost[i];
        if (count != 0) line(out, "  {:>14}  {}", count, loss_name(static_cast<Loss>(i)));
    }
    for (const Damage& one : damage.kept()) {
        line(out, "damage      offset {}: {}", one.offset, one.reason);
    }
    if (damage.count() > damage.kept().size()) {
        line(out, "damage      {} more places", damage.count() - damage.kept().size());
    }
    if (damage.missing_chunks() != 0) {
        line(out, "missing     {} chunks of events", damage.missing_chunks());
    }
    if (counted.stacks_missing != 0) {
        line(out, "missing     the stacks of {} events", counted.stacks_missing);
    }
}

// What was left out by the user's choice.
void write_limits(TraceFile& trace, LineOutput& out) {
    const TraceHeader& header = trace.header();
    if (header.sample_bytes != 0) {
        line(out, "sample      one heap block per {}, one buffer in {}",
             bytes_text(header.sample_bytes), header.sample_interval);
    }
    if (header.ring_size == 0) return;
    const std::string cut = ring_cut(trace);
    line(out, "ring        the newest {}{}{}", bytes_text(header.ring_size),
         cut.empty() ? "" : ": ", cut);
}

void write_modules(TraceFile& trace, LineOutput& out) {
    line(out, "modules     {}", trace.modules().size());
    for (const ModuleRecord& module : trace.modules()) {
        const std::string gone =
            module.end_epoch != UINT32_MAX
                ? fmt::format("  unloaded (epoch {} to {})", module.first_epoch, module.end_epoch)
                : "";
        line(out, "  {:#014x} +{:<10x} {} {}{}", module.address, module.size,
             module.build_id.empty() ? "no build-id" : module.build_id, module.path, gone);
    }
}

void write_threads(TraceFile& trace, LineOutput& out) {
    line(out, "threads     {}", trace.threads().size());
    for (const ThreadRecord& thread : trace.threads()) {
        line(out, "  {:>6}  tid {:<10} {}", thread.ordinal, thread.kernel_id, thread.name);
    }
}

std::string hook_fact(const HookRecord& hook) {
    switch (hook.fact) {
        case HookFact::kType:
            return fmt::format("type{}{}{}", hook.value & kCountKnown ? ", with its counter" : "",
                               hook.value & kRevives ? ", zero is not its end" : "",
                               hook.value & kImplicit ? ", creations seen in part" : "");
        case HookFact::kHooked:
            return fmt::format("{} functions hooked", hook.value);
        case HookFact::kRefused:
            return "not hooked: " + hook.more;
        case HookFact::kPartial:
            return "seen in part: " + hook.more;
        case HookFact::kBadPointer:
            return fmt::format("bad pointers in its identity, {} times or more: {}", hook.value,
                               hook.more);
        case HookFact::kOff:
            return "off: " + hook.more;
        case HookFact::kNoCounter:
            return fmt::format("its counter is not believed: read {}: {}", hook.value, hook.more);
        case HookFact::kCounterFollowed:
            return "its counter follows the operations";
        case HookFact::kLibcData:  // no fact of hooks
            break;
        case HookFact::kHeap:
            return hook.value == 0 ? "allocator not seen: " + hook.more
                                   : fmt::format("allocator, seen by {} functions", hook.value);
    }
    return "";
}

void write_hooks(TraceFile& trace, LineOutput& out) {
    if (trace.hooks().empty()) return;
    line(out, "hooks");
    for (const HookRecord& hook : trace.hooks()) {
        line(out, "  {:<24} {}", trace.strings()[hook.subject], hook_fact(hook));
    }
}

}  // namespace

int info_command(const InfoOptions& options) {
    Result<std::unique_ptr<TraceFile>> opened = open_trace(options.trace);
    if (!opened) {
        return fail(kUnreadable, opened.error().message());
    }
    TraceFile& trace = **opened;
    LineOutput out;
    write_header(trace, out);
    const Counted counted = count_events(trace);
    write_losses(trace, counted, out);
    write_limits(trace, out);
    write_counters(trace, counted, out);
    write_hooks(trace, out);
    write_modules(trace, out);
    write_threads(trace, out);
    const std::string failure = out.finish();
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
