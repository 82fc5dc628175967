// The result of the analysis: the only thing that report writers see.
//
// Plain data, no behaviour but names. Produced by analyze/, rendered by report/. A field added
// here is added to report/json too; JSON names are never changed (schema 'lastref.report/1').
#ifndef LASTREF_ANALYZER_ANALYZE_FINDINGS_H
#define LASTREF_ANALYZER_ANALYZE_FINDINGS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/stack.h"
#include "analyze/usage_report.h"

namespace lastref {

enum class Kind {
    kRefcountLeak,
    kHeapLeak,
    kMappingLeak,
    kOverRelease,
    kUseAfterRelease,
    kFreedWhileReferenced,
    kDoubleFree,
    kGrowth,
    kAllocationFailure,
    kHeld,
};
std::string_view kind_name(Kind kind);  // "refcount-leak", ...

enum class Cause {
    kUnknown,
    kExtraRetain,
    kMissingRelease,
    kNeverReleased,
    kPoolNotReturned,
    kCycle,
    kReferenceToLeakedOwner,
    kGrowth,
    kCache,
    kInFlight,
    kShutdown,
    kUnseen,
};
std::string_view cause_name(Cause cause);  // "extra-retain", ...

struct Culprit {
    Cause cause = Cause::kUnknown;
    double confidence = 0;  // 0 to 1
    bool ambiguous = false;
    Frame frame;
    Stack stack;
    std::string explanation;  // one sentence, with numbers
};

// An event of an example life. `count` is the count after it, as rebuilt from the events.
struct HistoryEvent {
    std::string op;        // as in `lastref events`
    uint64_t time_ns = 0;  // since the trace began
    uint32_t thread = 0;
    int64_t count = 0;
    std::string hint;  // of a touch
    Stack stack;
    size_t telling = 0;  // index of the frame that says most: the others inside are plumbing
};

// A finding of a sampled trace: `count` and `bytes` are estimates of the whole; these fields give
// their accuracy.
struct SampledFrom {
    uint64_t count = 0;  // what was really seen
    uint64_t bytes = 0;
    double count_error = 0;  // standard errors of the estimates
    double bytes_error = 0;
};

struct Life {
    uint64_t buffer = 0;
    uint64_t size = 0;
    std::vector<HistoryEvent> events;  // oldest first
    uint64_t events_left_out = 0;      // in the middle, where a history is very long
};

// One of the lives at an address that was asked for.
struct LifeAt : Life {
    std::string trace;  // path of the trace file
    std::string type;
    std::string end;  // how it ended: "ended", "live", "memory freed"
};

struct Example : Life {
    std::optional<Life> peer;  // the most similar life that ended well
};

// Buffers that leak because those of the finding do: they are held by them, or in a cycle with
// them. Fixing the finding frees them; they are no findings of their own.
struct Dependant {
    std::string type;
    uint64_t count = 0;
    uint64_t bytes = 0;
    Cause cause = Cause::kReferenceToLeakedOwner;  // or kCycle
    Stack created;
};

// A gate's judgement of a finding (see gate/judge.h); kUnjudged outside a gate.
enum class Standing {
    kUnjudged,
    kNew,         // fails
    kGrown,       // in the baseline with a lower count: fails
    kOverBudget,  // of a type whose budget is exceeded: fails
    kKnown,       // in the baseline
    kWithinBudget,
    kSuppressed,
    kLeftOut,  // by an option, or plain memory of the system's own programs
};
std::string_view standing_name(Standing standing);  // "new", "grown", ...
bool is_failing(Standing standing);
// Whether a report without a gate counts the finding as a failure: there every finding is one.
bool counts_as_failure(Standing standing);
// Neither fails nor is worth a word: kSuppressed or kLeftOut.
bool is_set_aside(Standing standing);

// The state in which an allocation failed, in bytes; the example's where several failed.
struct FailedAllocation {
    std::optional<uint64_t> used;   // heap and mappings then; nothing where not all is recorded
    std::optional<uint64_t> limit;  // of the address space, kNoLimit: none; nothing: not known
    static constexpr uint64_t kNoLimit = UINT64_MAX;
};

struct Finding {
    std::string id;  // see fingerprint.h
    Kind kind = Kind::kRefcountLeak;
    std::string type;    // buffer type; "heap" or "mapping" for the others
    uint64_t count = 0;  // lives in this group
    uint64_t bytes = 0;
    int64_t final_count_min = 0;  // reference counts at the end (refcount kinds only)
    int64_t final_count_max = 0;
    bool final_count_known = true;  // false at level simple
    std::optional<SampledFrom> sampled;
    std::optional<FailedAllocation> failed;
    uint64_t process = 0;      // index into Report::processes
    uint64_t recent = 0;       // of `count`, how many began in a killed process' last moments
    uint64_t peers_ended = 0;  // lives with the same creation stack that did end
    std::optional<Culprit> culprit;
    std::vector<Culprit> suspects;  // ranked, the culprit first
    Stack created;                  // where they were made (allocation-failure: where it failed)
    Example example;
    std::vector<Dependant> dependants;
    std::string reason;  // for held: why no accusation is made
    Standing standing = Standing::kUnjudged;
};

struct Process {
    int32_t pid = 0;
    std::string trace;  // path of the trace file
    std::string executable;
    std::vector<std::string> command;
    std::string level;      // "paranoid", ...
    std::string started;    // ISO 8601, UTC
    std::string ended;      // same; of the last event where the end itself is unknown
    std::string exit;       // "status 0", "signal 9", "running", "exec", "unknown"
    bool complete = false;  // nothing lost, nothing damaged
    uint64_t events = 0;
    uint64_t lost = 0;
    uint64_t forks = 0;            // children begun: fork, vfork, spawn
    uint64_t borrowers_ended = 0;  // of these, with its memory and without a program: no traces
    uint64_t confined_children = 0;  // forked under a seccomp filter: not recorded
    uint64_t process_start = 0;    // kernel's clock ticks at its start: with the pid one process
    uint64_t sample_bytes = 0;     // a sample: one point per so many bytes of heap; 0: everything
    uint64_t sample_interval = 0;  // and one buffer in so many
    uint64_t ring_size = 0;        // only the newest events were kept, in so many bytes; 0: all
    uint64_t cut_chunks = 0;       // chunks dropped for that
    uint64_t cut_ns = 0;           // the time up to which events are left out
    std::vector<std::string> warnings;  // damage, losses, own malloc: shown before any verdict
};

struct ObjectTotals {
    uint64_t created = 0, ended = 0, leaked = 0;
};
struct ByteTotals {
    uint64_t allocations = 0, frees = 0, peak_bytes = 0, live_bytes = 0, live = 0;
};

// A type of a hooked library: how many of its operations were seen, and how many more its true
// counter proves.
struct HookedType {
    std::string type;
    uint64_t seen = 0;
    uint64_t unseen = 0;
    std::string partial;          // what is not hooked of it; empty: all is
    std::string counter_refused;  // why its counter is not believed; empty: it is, or it has none

    double coverage() const {
        return seen + unseen == 0 ? 1.0
                                  : static_cast<double>(seen) / static_cast<double>(seen + unseen);
    }
};

struct Summary {
    ObjectTotals buffers;
    ByteTotals heap;
    ByteTotals mappings;
    double coverage = 1.0;  // of the operations on buffers of hooked libraries
    std::vector<HookedType> hooked;
    // Live at the end, but the C and C++ runtimes keep them for the process' life: no findings.
    uint64_t runtime_blocks = 0, runtime_bytes = 0;
    // Live at the end because a live buffer lies in them: reported with the buffer.
    uint64_t buffer_blocks = 0;
    // Heap blocks made in a killed process' last moments (see Finding::recent).
    uint64_t recent_blocks = 0, recent_bytes = 0;
};

// One suppression of a gate, and how many findings it took out.
struct SuppressionUse {
    std::string text;    // as written
    std::string origin;  // "FILE:LINE", or the program that holds it
    uint64_t uses = 0;
};

// The gate's result besides the standing of each finding.
struct GateSummary {
    std::string verdict;               // "pass", "fail", "inconclusive"
    std::vector<std::string> reasons;  // why it failed or is inconclusive, one sentence each
    std::vector<std::string> notes;    // what else should be known
    std::vector<SuppressionUse> suppressions;
    std::vector<std::string> gone;  // lines of the baseline that nothing matches any more
};

// The type's own entry, made where there is none.
HookedType& hooked_type(Summary& summary, const std::string& type);

struct Report {
    std::vector<Process> processes;
    Summary summary;
    std::vector<Finding> findings;  // worst first
    std::optional<GateSummary> gate;
    std::string root;  // folder that formats for other tools name source files in; "" for none
    std::optional<UsageReport> usage;  // where it was asked for
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_FINDINGS_H
