// Findings of errors that lives show: over-release, use after release, double free and their like.
#include <algorithm>
#include <string>
#include <utility>

#include "analyze/finding_builder.h"
#include "analyze/judges.h"
#include "analyze/verdict_text.h"
#include "read/op_names.h"

namespace lastref {
namespace {

using trace::Op;

constexpr size_t kMostSuspects = 8;

// The place where the misuse happened. For an over-release the fault may be elsewhere.
Culprit place_of(const Misuse& misuse, Judge* judge, StackNames& names) {
    Culprit culprit;
    culprit.stack = names.stack(misuse.stack);
    if (!culprit.stack.empty()) culprit.frame = culprit.stack.front();
    if (judge != nullptr && !misuse.history.empty()) {
        const Op op = misuse.history.back().operation();
        const PathId path = judge->ways.path_of(misuse.stack);
        const Place place = judge->ways.plumbing().site(op, path);
        if (place != Plumbing::kNoPlace) culprit.frame = judge->ways.paths().frame(place);
    }
    return culprit;
}

// The functions that free memory also free it after a last release: their caller this time is more
// significant.
void tell_who_freed(Culprit& culprit, const Misuse& misuse, Judge& judge,
                    const TypeStatistics& type) {
    const CallPaths& paths = judge.ways.paths();
    const std::vector<Place>& here = paths.places(judge.ways.path_of(misuse.stack));
    size_t shared = 0;
    for (const auto& [stack, times] : type.usual_frees) {
        const std::vector<Place>& there = paths.places(judge.ways.path_of(stack));
        const size_t end = std::min(here.size(), there.size());
        size_t same = 0;
        while (same < end && paths.function(here[same]) == paths.function(there[same])) ++same;
        shared = std::max(shared, same);
    }
    if (shared < here.size()) culprit.frame = paths.frame(here[shared]);
}

// Lives that ended correctly show which of the releases was one too many.
void blame_over_release(Finding& finding, const Misuse& misuse, Judge& judge, StackNames& names) {
    FaultyWays faulty;
    faulty.lives = misuse.count;
    faulty.ways.emplace_back(
        judge.ways.make(misuse.created_stack, count_sites(misuse.history), misuse.history),
        misuse.count);
    const Verdict verdict = judge.blame.judge(faulty.ways.front().first, Fault::kOverRelease);
    const double confidence = confidence_of(verdict, misuse.count);
    for (const Suspect& suspect : verdict.suspects) {
        if (finding.suspects.size() >= kMostSuspects) break;
        Culprit culprit = culprit_of(suspect, judge.ways.paths(), names);
        const double first = verdict.suspects.front().score;
        culprit.confidence = first > 0 ? confidence * suspect.score / first : 0;
        culprit.ambiguous = verdict.level != PeerLevel::kSite;
        culprit.explanation = explain_over_release(suspect, verdict, faulty, judge.blame);
        finding.suspects.push_back(std::move(culprit));
    }
    if (finding.suspects.empty()) {
        Culprit last = place_of(misuse, &judge, names);
        last.confidence = 0.3;
        last.ambiguous = true;
        last.explanation =
            "released here after the last reference was gone; this release or one before it is "
            "one too many";
        if (!last.stack.empty()) finding.suspects.push_back(std::move(last));
    }
    if (!finding.suspects.empty()) finding.culprit = finding.suspects.front();
}

void explain(Finding& finding, const Misuse& misuse, Judge* judge, const TypeStatistics* type,
             StackNames& names) {
    if (misuse.kind == Kind::kOverRelease) {
        return blame_over_release(finding, misuse, *judge, names);
    }
    Culprit culprit = place_of(misuse, judge, names);
    culprit.confidence = 1;
    switch (misuse.kind) {
        case Kind::kUseAfterRelease:
            culprit.explanation = "used here after the last reference was gone";
            break;
        case Kind::kFreedWhileReferenced:
            tell_who_freed(culprit, misuse, *judge, *type);
            culprit.explanation =
                "its memory is freed here while the count is " + std::to_string(misuse.count_max);
            break;
        case Kind::kDoubleFree:
            culprit.explanation = "freed here a second time";
            break;
        default:
            break;
    }
    if (culprit.stack.empty()) return;
    finding.suspects.push_back(culprit);
    finding.culprit = std::move(culprit);
}

FailedAllocation failed_allocation(const Misuse& misuse, const FindingBuilder& builder) {
    FailedAllocation failed;
    const trace::TraceHeader& header = builder.header();
    constexpr uint32_t kMemoryUnseen =
        trace::kNoteOwnMalloc | trace::kNoteInherited | trace::kNoteLateStart;
    const bool all_seen = builder.facts().lost == 0 && !builder.facts().sampling.active() &&
                          header.cut_chunks == 0 && (header.notes & kMemoryUnseen) == 0;
    if (all_seen) failed.used = misuse.used;
    if (header.address_space_limit != 0) failed.limit = header.address_space_limit;
    return failed;
}

}  // namespace

void add_misuses(FindingBuilder& builder, Judges& judges) {
    StackNames& names = builder.names();
    builder.lifecycle().misuses().for_each([&](const Misuse& misuse) {
        const bool failure = misuse.kind == Kind::kAllocationFailure;
        const bool memory = failure || misuse.kind == Kind::kDoubleFree;
        // Damage that was met after judging had begun: an odd event proves nothing any more.
        if (!failure && builder.facts().lost != 0) return;
        if (misuse.kind == Kind::kDoubleFree && builder.facts().heap_in_part) return;
        Judge* const judge = memory ? nullptr : &judges.of(misuse.type);
        const TypeStatistics* const type =
            memory ? nullptr : &builder.lifecycle().buffers().types().at(misuse.type);
        const bool unseen = judge != nullptr && ended_unseen(misuse, judge->ways, *type);
        Finding finding = builder.start(unseen ? Kind::kHeld : misuse.kind, misuse.created_stack);
        finding.type = memory ? "heap" : builder.text(misuse.type);
        finding.count = misuse.count;
        finding.bytes = misuse.bytes;
        finding.final_count_min = misuse.count_min;
        finding.final_count_max = misuse.count_max;
        finding.example.buffer = misuse.address;
        finding.example.size = misuse.size;
        finding.example.events = builder.history(misuse.history);
        finding.example.events_left_out = misuse.left_out;
        if (failure) {
            const std::string_view call = failed_call_name(misuse.detail);
            if (call == "mmap" || call == "mremap") finding.type = "mapping";
            finding.reason = std::string(call) + " returned no memory";
            finding.failed = failed_allocation(misuse, builder);
        } else if (unseen) {
            finding.reason = std::string(cause_name(Cause::kUnseen)) +
                             ": freed where buffers of this type are freed after their last "
                             "release, with a count of " +
                             std::to_string(misuse.count_max) + ": operations are not hooked";
        } else {
            explain(finding, misuse, judge, type, names);
        }
        builder.finish(std::move(finding),
                       {&names.stack(misuse.created_stack), &names.stack(misuse.stack)});
    });
}

}  // namespace lastref
