#include "report/perfetto.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/stack_names.h"
#include "analyze/usage.h"
#include "read/trace_file.h"
#include "report/perfetto_lives.h"
#include "report/protobuf.h"
#include "report/units.h"

namespace lastref {
namespace {

// Field numbers of Perfetto's messages, and values of its enumerations.
namespace trace_message {
enum { kPacket = 1 };
}
namespace packet {
enum { kTimestamp = 8, kSequence = 10, kTrackEvent = 11, kSequenceFlags = 13, kTrack = 60 };
enum { kStateCleared = 1 };
}  // namespace packet
namespace track {
enum { kUuid = 1, kName = 2, kProcess = 3, kParent = 5, kCounter = 8 };
}
namespace process {
enum { kPid = 1, kCommand = 2, kName = 6 };
}
namespace counter {
enum { kUnit = 3 };
enum { kCount = 2, kBytes = 3 };
}  // namespace counter
namespace track_event {
enum { kAnnotation = 4, kType = 9, kTrack = 11, kCategory = 22, kName = 23, kCounterValue = 30 };
enum { kSliceBegin = 1, kSliceEnd = 2, kCounter = 4 };
}  // namespace track_event
namespace annotation {
enum { kBool = 2, kUint = 3, kInt = 4, kText = 6, kPointer = 7, kName = 10 };
}

constexpr size_t kMostSteps = 8192;

class PerfettoFile final : public StreamedReport {
public:
    explicit PerfettoFile(const StreamTarget& target) : target_(target) {}

    void trace_begins(TraceFile& trace, StackNames& names) override;
    void trace_ends(uint64_t last_ticks) override;
    void event(const Event& event) override {
        now_ = event.ticks;
        usage_->set_time(now_);
    }
    uint64_t begins(const FollowedLife& life) override {
        FollowedLife numbered = life;
        numbered.number = ++last_number_;
        usage_->begins(life.type, life.stack, life.size);
        lives_->begins(numbered, now_);
        return last_number_;
    }
    void ends(const FollowedLife& life) override {
        usage_->ends(life.type, life.stack, life.size);
        lives_->ends(life, now_);
    }
    void goes_on(const FollowedLife& life) override {
        usage_->begins(life.type, life.stack, life.size, false);
        lives_->begins(life, now_);
    }
    void concerns(const FollowedLife& life) override { lives_->changes(life); }
    bool stopped() const override { return stopped_; }
    std::string finish(const Report&) override { return {}; }
    std::vector<std::string> notes() const override { return notes_; }

private:
    void write(ProtobufMessage& packet);
    uint64_t add_track(const std::string& name, uint64_t parent, int unit = 0);
    void add_event(uint64_t ticks, const ProtobufMessage& event);
    void add_counter(uint64_t track, uint64_t ticks, double value);
    void add_counters(uint64_t parent, const std::string& type, const Usage::TypeUsage& usage,
                      uint64_t last_ticks);
    void add_slices(uint64_t parent, const std::string& type, const PerfettoLives::OfType& lives);
    void add_slice(uint64_t track, const std::string& type, const LifeSlice& slice);
    const std::string& stack_text(uint32_t stack);
    std::string type_name(uint32_t type) const;

    const StreamTarget target_;
    bool stopped_ = false;
    std::vector<std::string> notes_;
    uint64_t sequence_ = 0;  // of the trace that is being read, as all that follows
    uint64_t last_track_ = 0, last_number_ = 0, now_ = 0;
    bool is_first_packet_ = true;
    TraceFile* trace_ = nullptr;
    StackNames* names_ = nullptr;
    std::optional<Usage> usage_;
    std::optional<PerfettoLives> lives_;
    std::unordered_map<uint32_t, std::string> stacks_;
};

void PerfettoFile::trace_begins(TraceFile& trace, StackNames& names) {
    trace_ = &trace;
    names_ = &names;
    now_ = trace.header().start_ticks;
    usage_.emplace(Sampling::of(trace.header()), now_, kMostSteps);
    lives_.emplace(kMostSlices);
    stacks_.clear();
    ++sequence_;
    last_number_ = 0;
    is_first_packet_ = true;
}

void PerfettoFile::write(ProtobufMessage& packet) {
    packet.number(packet::kSequence, sequence_);
    if (is_first_packet_) packet.number(packet::kSequenceFlags, packet::kStateCleared);
    is_first_packet_ = false;
    ProtobufMessage message;
    message.message(trace_message::kPacket, packet);
    if (!stopped_) stopped_ = !target_.sink(message.bytes());
}

uint64_t PerfettoFile::add_track(const std::string& name, uint64_t parent, int unit) {
    ProtobufMessage packet, track;
    track.number(track::kUuid, ++last_track_);
    track.text(track::kName, name);
    track.number(track::kParent, parent);
    if (unit != 0) {
        ProtobufMessage counter;
        counter.number(counter::kUnit, static_cast<uint64_t>(unit));
        track.message(track::kCounter, counter);
    }
    packet.message(packet::kTrack, track);
    write(packet);
    return last_track_;
}

void PerfettoFile::add_event(uint64_t ticks, const ProtobufMessage& event) {
    ProtobufMessage packet;
    packet.always(packet::kTimestamp, trace_->header().start_monotonic_ns + trace_->to_ns(ticks));
    packet.message(packet::kTrackEvent, event);
    write(packet);
}

void PerfettoFile::add_counter(uint64_t track, uint64_t ticks, double value) {
    ProtobufMessage event;
    event.number(track_event::kType, track_event::kCounter);
    event.number(track_event::kTrack, track);
    event.always(track_event::kCounterValue,
                 static_cast<uint64_t>(std::max(0LL, std::llround(value))));
    add_event(ticks, event);
}

void PerfettoFile::add_counters(uint64_t parent, const std::string& type,
                                const Usage::TypeUsage& usage, uint64_t last_ticks) {
    const uint64_t first = trace_->header().start_ticks;
    const auto add = [&](const char* what, int unit, double UsageAmount::*amount) {
        const uint64_t track = add_track(type + what, parent, unit);
        for (size_t step = 0; step < usage.most.size(); ++step) {
            if (step != 0 && usage.most[step].*amount == usage.most[step - 1].*amount) continue;
            add_counter(track, first + step * usage_->step_ticks(), usage.most[step].*amount);
        }
        add_counter(track, last_ticks, usage.live.*amount);
    };
    add(" bytes", counter::kBytes, &UsageAmount::bytes);
    add(" live", counter::kCount, &UsageAmount::count);
}

// The outer frames of a deep stack are given as a number.
const std::string& PerfettoFile::stack_text(uint32_t stack) {
    constexpr size_t kShown = 16;
    const auto [entry, is_new] = stacks_.try_emplace(stack);
    std::string& text = entry->second;
    if (!is_new) return text;
    size_t frames = 0;
    names_->visit(stack, [&](const Frame& frame) {
        if (++frames > kShown) return true;
        if (!text.empty()) text += " < ";
        text += frame.function.empty()
                    ? fmt::format("{}+{:#x}", base_name(frame.module), frame.offset)
                    : printable(frame.function);
        if (frame.line != 0) text += fmt::format(" ({}:{})", base_name(frame.file), frame.line);
        return true;
    });
    if (frames > kShown) text += fmt::format(" < {} more", frames - kShown);
    return text;
}

void PerfettoFile::add_slice(uint64_t track, const std::string& type, const LifeSlice& slice) {
    ProtobufMessage begin, end;
    begin.number(track_event::kType, track_event::kSliceBegin);
    begin.number(track_event::kTrack, track);
    begin.text(track_event::kCategory, "buffer");
    begin.text(track_event::kName, slice.is_live ? type + " (live at the end)" : type);
    const auto annotate = [&](std::string_view name, uint32_t kind, auto value) {
        ProtobufMessage one;
        one.text(annotation::kName, name);
        if constexpr (std::is_convertible_v<decltype(value), std::string_view>)
            one.text(kind, value);
        else
            one.always(kind, static_cast<uint64_t>(value));
        begin.message(track_event::kAnnotation, one);
    };
    const FollowedLife& life = slice.life;
    annotate("address", annotation::kPointer, life.address);
    annotate("size", annotation::kUint, life.size);
    if (life.type != FollowedLife::kHeap && life.type != FollowedLife::kMapping)
        annotate("count", annotation::kInt, life.count);
    annotate("created", annotation::kText, std::string_view(stack_text(life.stack)));
    annotate("ended", annotation::kBool, !slice.is_live);
    add_event(slice.begin_ticks, begin);
    end.number(track_event::kType, track_event::kSliceEnd);
    end.number(track_event::kTrack, track);
    add_event(slice.end_ticks, end);
}

// Lane by lane, so that a slice's end comes before the next one's begin even at the same time.
void PerfettoFile::add_slices(uint64_t parent, const std::string& type,
                              const PerfettoLives::OfType& lives) {
    std::string name = type + ": lives";
    if (lives.slices.size() < lives.all) {
        const std::string part = fmt::format("{} of {} lives", lives.slices.size(), lives.all);
        name = fmt::format("{}: {}", type, part);
        notes_.push_back(
            fmt::format("{}: {} of type {} are slices: those live at the end, the "
                        "oldest first, then those that lived longest",
                        trace_->path(), part, type));
    }
    std::vector<std::vector<const LifeSlice*>> lanes(lives.lanes);
    for (const LifeSlice& slice : lives.slices) lanes[slice.lane].push_back(&slice);
    for (const auto& lane : lanes) {
        const uint64_t track = add_track(name, parent);
        for (const LifeSlice* const slice : lane) add_slice(track, type, *slice);
    }
}

std::string PerfettoFile::type_name(uint32_t type) const {
    if (type == FollowedLife::kHeap) return "heap";
    if (type == FollowedLife::kMapping) return "mapping";
    return printable(trace_->strings()[type]);
}

void PerfettoFile::trace_ends(uint64_t last_ticks) {
    usage_->finish();
    ProtobufMessage packet, track, process;
    process.number(process::kPid, static_cast<uint64_t>(trace_->header().pid));
    for (const std::string& word : trace_->command()) process.text(process::kCommand, word);
    process.text(process::kName, base_name(trace_->executable()));
    const uint64_t parent = ++last_track_;
    track.number(track::kUuid, parent);
    track.message(track::kProcess, process);
    packet.message(packet::kTrack, track);
    write(packet);
    for (const auto& [type, lives] : lives_->finish(last_ticks)) {
        const std::string name = type_name(type);
        add_counters(parent, name, usage_->types().at(type), last_ticks);
        add_slices(parent, name, lives);
    }
}

}  // namespace

std::unique_ptr<StreamedReport> perfetto_report(const StreamTarget& target) {
    return std::make_unique<PerfettoFile>(target);
}

}  // namespace lastref
