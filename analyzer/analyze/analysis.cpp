#include "analyze/analysis.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <span>
#include <string>

#include "analyze/fingerprint.h"
#include "analyze/grouping.h"
#include "analyze/heap_gaps.h"
#include "analyze/hook_facts.h"
#include "analyze/lifecycle.h"
#include "analyze/trace_facts.h"
#include "read/batch_reader.h"
#include "read/exit_state.h"
#include "read/op_names.h"

namespace lastref {
namespace {

using namespace trace;

// ISO 8601 in UTC with milliseconds.
std::string iso_time(uint64_t realtime_ns) {
    const auto seconds = static_cast<time_t>(realtime_ns / 1'000'000'000u);
    const auto milliseconds = static_cast<unsigned>(realtime_ns / 1'000'000u % 1000u);
    tm parts{};
    char date[32] = "", text[64] = "";
    if (::gmtime_r(&seconds, &parts) == nullptr ||
        std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        return "";
    }
    std::snprintf(text, sizeof(text), "%s.%03uZ", date, milliseconds);
    return text;
}

// A rate that is good enough for windows of time; 1e9 where ticks are nanoseconds.
uint64_t tick_rate(const TraceFile& trace) {
    const uint64_t start = trace.header().start_ticks;
    const uint64_t ns = trace.to_ns(start + 1'000'000'000u);
    if (ns == 0) return 1'000'000'000u;
    return static_cast<uint64_t>(1e18 / static_cast<double>(ns));
}

std::string counted(uint64_t count, const std::string& what) {
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

// In plain words what is missing from the trace. Anything said here makes it incomplete.
std::vector<std::string> shortcomings(TraceFile& trace, uint64_t events, uint64_t stacks_missing) {
    std::vector<std::string> said;
    const TraceHeader& header = trace.header();
    const DamageList& damage = trace.damage();
    for (const Damage& one : damage.kept()) {
        said.push_back("damaged at offset " + std::to_string(one.offset) + ": " + one.reason);
    }
    if (damage.count() > damage.kept().size()) {
        said.push_back("and " +
                       counted(damage.count() - damage.kept().size(), "more damaged place"));
    }
    if (damage.missing_chunks() != 0) {
        said.push_back(counted(damage.missing_chunks(), "chunk") +
                       " of events missing from the file");
    }
    for (uint32_t i = 0; i < static_cast<uint32_t>(Loss::kCount); ++i) {
        if (header.lost[i] == 0) continue;
        said.push_back(counted(header.lost[i], "event") +
                       " lost: " + std::string(loss_name(static_cast<Loss>(i))));
    }
    for (const Note note : {kNoteStopped, kNoteLateStart, kNoteOwnMalloc, kNoteHeapInPart}) {
        if ((header.notes & note) == 0) continue;
        said.emplace_back(note_text(note));
        const bool of_heap = note == kNoteOwnMalloc || note == kNoteHeapInPart;
        for (const HookRecord& hook : trace.hooks()) {
            if (!of_heap || hook.fact != HookFact::kHeap || hook.value != 0) continue;
            said.back() +=
                " (" + std::string(trace.strings()[hook.subject]) + ": " + hook.more + ')';
        }
    }
    if (stacks_missing != 0) {
        said.push_back(counted(stacks_missing, "stack") + " missing from the file");
    }
    // A forked child may end before it does anything; a program does something at its start.
    if (events == 0 && (header.notes & kNoteInherited) == 0)
        said.push_back("the trace holds no events: nothing can be said");
    return said;
}

// Events of the program itself, not those that describe the process.
bool is_activity(Op op) {
    return op != Op::kLoad && op != Op::kUnload && op != Op::kThreadInfo;
}

Process describe(const TraceFile& trace, const ExitState& exit, uint64_t last_ticks) {
    const TraceHeader& header = trace.header();
    Process process;
    process.pid = header.pid;
    process.trace = trace.path();
    process.executable = trace.executable();
    process.command = trace.command();
    process.level = level_name(header.level);
    process.started = iso_time(header.start_realtime_ns);
    const bool end_known = header.exit_kind != ExitKind::kNone && header.exit_ticks != 0;
    process.ended = iso_time(header.start_realtime_ns +
                             trace.to_ns(end_known ? header.exit_ticks : last_ticks));
    process.exit = exit.text;
    process.lost = trace.lost();
    process.process_start = header.process_start;
    process.sample_bytes = header.sample_bytes;
    process.sample_interval = header.sample_interval;
    process.ring_size = header.ring_size;
    process.cut_chunks = header.cut_chunks;
    process.cut_ns = header.cut_chunks == 0 ? 0 : trace.to_ns(header.cut_ticks);
    return process;
}

void add_totals(const Lifecycle& lifecycle, Summary& summary) {
    const BufferTotals& buffers = lifecycle.buffers().totals();
    summary.buffers.created += buffers.created;
    summary.buffers.ended += buffers.ended;
    const HeapTotals& heap = lifecycle.heap().totals();
    summary.heap.allocations += heap.allocations;
    summary.heap.frees += heap.frees;
    summary.heap.peak_bytes += heap.peak_bytes;
    summary.heap.live_bytes += heap.live_bytes;
    summary.heap.live += heap.allocations - heap.frees;
    const MappingTotals& mappings = lifecycle.mappings().totals();
    summary.mappings.allocations += mappings.made;
    summary.mappings.frees += mappings.unmapped;
    summary.mappings.peak_bytes += mappings.peak_bytes;
    summary.mappings.live_bytes += mappings.live_bytes;
    lifecycle.mappings().for_each_live([&](const Mapping&) { ++summary.mappings.live; });
}

// What is seen of the types of hooked libraries.
void add_hooked_types(const Lifecycle& lifecycle, TraceFile& trace, const HookFacts& hooks,
                      Summary& summary) {
    for (const auto& [type, coverage] : lifecycle.buffers().coverage()) {
        HookedType& one = hooked_type(summary, trace.strings()[type]);
        one.seen += coverage.seen;
        one.unseen += coverage.unseen;
        if (const std::string* partial = hooks.partial(type)) one.partial = *partial;
        if (const std::string* refused = hooks.counter_refused(type))
            one.counter_refused = *refused;
    }
}

}  // namespace

void analyze_trace(TraceFile& trace, FrameSource& frames, const EventProgress& progress,
                   Report& report, TraceFollower* follower) {
    const TraceHeader& header = trace.header();
    const uint64_t rate = tick_rate(trace);
    const bool from_start = begins_with_process(trace);
    const bool whole = is_whole(trace);
    Lifecycle lifecycle(rate, from_start, whole);
    const HookFacts hooks(trace.hooks());
    lifecycle.set_hooks(hooks, from_start);
    StackNames names(trace.stacks(), frames);
    if (follower != nullptr) {
        lifecycle.report_to(follower);
        follower->trace_begins(trace, names);
    }

    constexpr uint64_t kProgressStep = 1u << 20;
    constexpr uint64_t kWorthAThread = 1u << 20;  // bytes; less is read before one has started
    uint64_t activity = 0, forks = 0, next_progress = kProgressStep;
    const bool may_read_ahead = follower == nullptr || !follower->reads_strings();
    BatchReader reader(trace,
                       trace.size() >= kWorthAThread && may_read_ahead && usable_cores() > 1);
    for (;;) {
        const std::span<const Event> events = reader.next();
        if (events.empty()) break;
        lifecycle.handle(events);
        for (const Event& event : events) {
            activity += is_activity(event.op);
            forks += event.op == Op::kFork;
        }
        if (follower != nullptr && follower->stopped()) return;
        if (progress && lifecycle.events() >= next_progress) {
            progress(lifecycle.events());
            next_progress += kProgressStep;
        }
    }
    lifecycle.finish();

    const ExitState exit = exit_state(header);
    Process process = describe(trace, exit, lifecycle.last_ticks());
    process.events = lifecycle.events();
    process.forks = forks;
    process.borrowers_ended = header.borrowers_ended;
    process.confined_children = header.confined_children;
    process.warnings = shortcomings(trace, activity, reader.stacks_missing());
    const std::string gaps =
        gaps_text(telling_gaps(lifecycle.heap().gaps(), trace, from_start, is_whole(trace)));
    if (!gaps.empty()) process.warnings.insert(process.warnings.begin(), gaps);
    process.complete = process.warnings.empty();

    TraceFacts facts;
    facts.hooks = hooks;
    facts.libc = LibcData(trace.libc_words());
    facts.process = report.processes.size();
    facts.orderly_exit = exit.orderly;
    facts.threads_at_rest = lifecycle.threads_at_rest();
    facts.heap_in_part = !gaps.empty() || (header.notes & (kNoteOwnMalloc | kNoteHeapInPart)) != 0;
    facts.sampling = Sampling::of(header);
    facts.counts_known = header.level != Level::kSimple || !facts.sampling.active();
    facts.lost = trace.damage().empty() ? trace.lost() : UINT64_MAX;
    if ((header.notes & kNoteStopped) != 0 && facts.lost == 0) facts.lost = UINT64_MAX;
    facts.last_ticks = lifecycle.last_ticks();
    facts.ticks_per_second = rate;
    facts.first_ticks = std::min(header.start_ticks, facts.last_ticks);
    if (!exit.orderly && facts.last_ticks > header.start_ticks) {
        const uint64_t span = facts.last_ticks - header.start_ticks;
        facts.recent_ticks = facts.last_ticks - std::min(span / 100, rate);
    }
    report.processes.push_back(std::move(process));
    add_totals(lifecycle, report.summary);
    add_hooked_types(lifecycle, trace, hooks, report.summary);
    add_findings(lifecycle, facts, trace, names, report);
    if (follower != nullptr) follower->trace_ends(facts.last_ticks);
}

void complete_report(Report& report) {
    HookedType all;
    for (const HookedType& one : report.summary.hooked) {
        all.seen += one.seen;
        all.unseen += one.unseen;
    }
    report.summary.coverage = all.coverage();
    sort_findings(report.findings);
    tell_apart(report.findings);
}

}  // namespace lastref
