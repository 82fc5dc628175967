// Findings of buffers that are live at the end: leaks with their culprits, and what is merely held.
#include <algorithm>
#include <string>
#include <utility>

#include "analyze/finding_builder.h"
#include "analyze/leak_group.h"
#include "analyze/linked_leaks.h"

namespace lastref {
namespace {

constexpr size_t kMostSuspects = 8;

// The significant part of a stack, from which an id is made: the same for every way to this place.
Stack telling_part(const Stack& stack, const Frame& frame) {
    Stack part;
    for (const Frame& one : stack) {
        part.push_back(one);
        if (one.function == frame.function && one.line == frame.line) break;
    }
    return part;
}

void add_suspects(Finding& finding, const LeakGroup& group, Judge& judge, FindingBuilder& builder) {
    const double sure = group.blind || !group.unsure.empty()
                            ? std::min(group.confidence, kLeastConfidence / 2)
                            : group.confidence;
    for (const Suspect& suspect : group.verdict.suspects) {
        if (finding.suspects.size() >= kMostSuspects) break;
        Culprit culprit = culprit_of(suspect, judge.ways.paths(), builder.names());
        culprit.ambiguous = group.ambiguous;
        const double first = group.verdict.suspects.front().score;
        culprit.confidence = first > 0 ? sure * suspect.score / first : 0;
        culprit.explanation =
            suspect.cause == Cause::kCycle
                ? "each of " + std::to_string(group.lives.count) + " buffers of type " +
                      finding.type + " keeps one of type " + group.cycle_with +
                      " that keeps it: the two references were taken together, and neither is "
                      "released before the other buffer ends; one of them should be weak"
            : suspect.cause == Cause::kGrowth
                ? "kept here by more and more buffers, " + std::to_string(group.lives.count) +
                      " at the end, which are held on purpose: a holder that grows without bound, "
                      "not a count that is wrong"
                : explain_leak(suspect, group.verdict, group.faulty, judge.blame);
        finding.suspects.push_back(std::move(culprit));
    }
    if (group.has_culprit()) finding.culprit = finding.suspects.front();
}

// Marks the significant frame of each event.
void point_out(Life& life, const std::vector<HistoryRecord>& records, const TypeWays& ways) {
    for (size_t i = 0; i < records.size() && i < life.events.size(); ++i) {
        life.events[i].telling =
            ways.plumbing().telling(records[i].operation(), ways.path_of(records[i].stack));
    }
}

void add_peer(Example& example, const LeakGroup& group, Judge& judge, FindingBuilder& builder) {
    const auto at = std::find(group.classes.begin(), group.classes.end(), &group.example());
    const Way& way = group.faulty.ways[static_cast<size_t>(at - group.classes.begin())].first;
    const Way* const nearest = judge.blame.judge(way, Fault::kLeak).nearest;
    if (nearest == nullptr || nearest->signature == nullptr) return;
    const Signature& signature = *nearest->signature;
    Life peer;
    peer.buffer = signature.address;
    peer.size = signature.size;
    peer.events = builder.history(signature.records);
    point_out(peer, signature.records, judge.ways);
    example.peer = std::move(peer);
}

void add_finding(const LeakGroup& group, Judge& judge, FindingBuilder& builder) {
    const TraceFacts& facts = builder.facts();
    const LeakedClass& example = group.example();
    Finding finding = builder.start(group.kind, example.origin.second);
    finding.type = builder.text(group.type);
    finding.count = group.lives.count;
    finding.bytes = group.lives.bytes;
    finding.final_count_min = group.lives.final_count_min;
    finding.final_count_max = group.lives.final_count_max;
    finding.recent = group.lives.recent;
    for (const Way* const peer : judge.blame.peers_of(group.created_site)) {
        finding.peers_ended += peer->lives;
    }
    finding.final_count_known = facts.counts_known;
    if (facts.sampling.active()) {
        Estimate estimate;
        estimate.add_many(group.lives.count, group.lives.bytes, 1 / facts.sampling.interval);
        builder.scale(finding, estimate);
    }
    const BufferLife& life = *example.example;
    finding.example.buffer = life.address;
    finding.example.size = life.size;
    finding.example.events = builder.history(life.history.in_order());
    finding.example.events_left_out = life.history.left_out();
    point_out(finding.example, life.history.in_order(), judge.ways);
    if (group.kind == Kind::kRefcountLeak && facts.counts_known) {
        add_peer(finding.example, group, judge, builder);
    }
    if (group.kind == Kind::kHeld) {
        finding.reason = std::string(cause_name(group.held.cause)) + ": " + group.held.reason;
    } else {
        if (facts.counts_known) add_suspects(finding, group, judge, builder);
        if (facts.counts_known && group.blind) {
            finding.reason = "no culprit is named: of " + std::to_string(judge.unseen) +
                             " buffers of this type operations were not seen, most likely "
                             "releases that are not hooked";
        }
        if (!group.unsure.empty()) finding.reason = "no culprit is named: " + group.unsure;
        builder.report().summary.buffers.leaked += finding.count;
    }
    for (const LeakGroup::Dependant& one : group.dependants) {
        finding.dependants.push_back({builder.text(one.type), one.count, one.bytes, one.cause,
                                      builder.names().stack(one.created_stack)});
        builder.report().summary.buffers.leaked += one.count;
    }
    Frame created;
    if (group.created_site != Plumbing::kNoPlace) {
        created = judge.ways.paths().frame(group.created_site);
    }
    const Stack origin = telling_part(finding.created, created);
    const Stack culprit =
        finding.culprit ? telling_part(finding.culprit->stack, finding.culprit->frame) : Stack{};
    builder.finish(std::move(finding), {&origin, &culprit},
                   group.kind == Kind::kHeld ? cause_name(group.held.cause) : "");
}

}  // namespace

void add_leaks(FindingBuilder& builder, Judges& judges) {
    const Buffers& buffers = builder.lifecycle().buffers();
    std::vector<LeakGroup> groups;
    for (const uint32_t type : judges.leaking()) {
        for (LeakGroup& group : group_leaks(type, judges.of(type), buffers, builder.facts())) {
            groups.push_back(std::move(group));
        }
    }
    if (builder.facts().counts_known) link_leaks(groups, judges, builder);
    for (const LeakGroup& group : groups) add_finding(group, judges.of(group.type), builder);
}

}  // namespace lastref
