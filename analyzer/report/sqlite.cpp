#include "report/sqlite.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/frame_tree.h"
#include "read/op_names.h"
#include "read/trace_file.h"
#include "report/sqlite_database.h"
#include "report/sqlite_schema.h"

namespace lastref {
namespace {

using trace::Op;
using Number = std::optional<int64_t>;

int64_t signed_number(uint64_t value) {
    return static_cast<int64_t>(value);
}

// Addresses, numbers and stacks that are not there are NULL.
Number unless_zero(uint64_t value) {
    return value == 0 ? Number() : signed_number(value);
}

bool is_counted(uint32_t type) {
    return type != FollowedLife::kHeap && type != FollowedLife::kMapping;
}

// An event's row is written when the next event comes: its effect on lives is reported meanwhile. A
// life's row is written when it ends, and again where it ends once more.
class SqliteFile final : public StreamedReport {
public:
    explicit SqliteFile(const StreamTarget& target) : database_(target.file) {
        database_.run(kSqliteTables);
        database_.run(fmt::format("PRAGMA user_version = {}", kSqliteSchema).c_str());
        tables_.emplace(database_);
        for (const SqliteExample& example : kSqliteExamples)
            tables_->examples.row(std::string_view(example.question),
                                  std::string_view(example.query));
    }

    bool reads_strings() const override { return true; }
    void trace_begins(TraceFile& trace, StackNames& names) override;
    void trace_ends(uint64_t last_ticks) override;
    void event(const Event& event) override;
    uint64_t begins(const FollowedLife& life) override;
    void ends(const FollowedLife& life) override;
    void goes_on(const FollowedLife& life) override;
    void concerns(const FollowedLife& life) override;
    bool stopped() const override { return !database_.failure().empty(); }
    std::string failure() const override { return database_.failure(); }
    std::string finish(const Report& report) override;

private:
    struct Tables {
        explicit Tables(SqliteDatabase& database)
            : processes(database, "processes"),
              threads(database, "threads"),
              frames(database, "frames"),
              stacks(database, "stacks"),
              buffers(database, "buffers"),
              events(database, "events"),
              findings(database, "findings"),
              examples(database, "examples") {}
        SqliteInsert processes, threads, frames, stacks, buffers, events, findings, examples;
    };
    // The event whose row is not written yet.
    struct Pending {
        Event event;
        Number buffer, count;
        bool concerned = false;
    };
    struct Live {
        FollowedLife life;
        uint64_t bytes = 0;  // of a mapping's pieces that are still there
    };

    void write_event();
    void write_life(const FollowedLife& life, Number ended_ns, Number ended_event);
    std::string_view text_of(const Event& event) const;
    Number stack_of_event(uint32_t id);
    Number stack_of_node(uint32_t node);
    void add_frames_and_stacks();
    void add_finding(const Finding& finding, int64_t rank);
    void add_process(const Process& process, int64_t id);

    SqliteDatabase database_;
    std::optional<Tables> tables_;
    std::vector<Frame> frames_;
    std::vector<UsageNode> nodes_;
    FrameTree tree_{frames_, nodes_};
    std::vector<bool> stacks_used_;  // by node
    std::vector<uint64_t> starts_;   // of each process, since 1970
    uint64_t event_id_ = 0, life_id_ = 0;
    // State of the trace that is being read.
    TraceFile* trace_ = nullptr;
    StackNames* names_ = nullptr;
    std::unordered_map<uint32_t, Number> stacks_;  // by the trace's id
    std::optional<Pending> pending_;
    std::unordered_map<uint64_t, Live> live_;  // by number
};

void SqliteFile::trace_begins(TraceFile& trace, StackNames& names) {
    trace_ = &trace;
    names_ = &names;
    tree_.next_trace();
    stacks_.clear();
    starts_.push_back(trace.header().start_realtime_ns);
    for (const ThreadRecord& thread : trace.threads())
        tables_->threads.row(signed_number(starts_.size()), int64_t{thread.ordinal},
                             thread.kernel_id, std::string_view(thread.name));
}

Number SqliteFile::stack_of_node(uint32_t node) {
    if (node == kNoUsageNode) return {};
    if (stacks_used_.size() < nodes_.size()) stacks_used_.resize(nodes_.size());
    stacks_used_[node] = true;
    return int64_t{node} + 1;
}

// In the order of their keys: appending to a table costs a fraction of inserting into it.
void SqliteFile::add_frames_and_stacks() {
    int64_t id = 0;
    for (const Frame& frame : frames_) {
        tables_->frames.row(++id, std::string_view(frame.function), std::string_view(frame.file),
                            int64_t{frame.line}, std::string_view(frame.module),
                            std::string_view(frame.build_id), signed_number(frame.offset),
                            int64_t{frame.inlined});
    }
    for (uint32_t node = 0; node < stacks_used_.size(); ++node) {
        if (!stacks_used_[node]) continue;
        int64_t depth = 0;
        for (uint32_t at = node; at != kNoUsageNode; at = nodes_[at].parent)
            tables_->stacks.row(int64_t{node} + 1, depth++, int64_t{nodes_[at].frame} + 1);
    }
}

Number SqliteFile::stack_of_event(uint32_t id) {
    const auto [entry, is_new] = stacks_.try_emplace(id);
    if (is_new && id != 0) entry->second = stack_of_node(tree_.node_of(id, *names_));
    return entry->second;
}

void SqliteFile::event(const Event& event) {
    write_event();
    pending_ = Pending{event, {}, {}};
    ++event_id_;
}

std::string_view SqliteFile::text_of(const Event& event) const {
    for (const OpField& field : op_row(event.op).fields) {
        const std::string_view text = field_text(field, event, trace_->strings());
        if (!text.empty()) return text;
    }
    return {};
}

void SqliteFile::write_event() {
    if (!pending_) return;
    const Event& event = pending_->event;
    const uint16_t has = trace::kFields[static_cast<uint8_t>(event.op)];
    Number count = pending_->count, value;
    if (event.op == Op::kCount || event.op == Op::kCounted)
        count = event.value;
    else if ((has & trace::fValue) != 0)
        value = event.value;
    const std::string_view text = text_of(event);
    tables_->events.row(
        signed_number(event_id_), signed_number(starts_.size()), event_name(event.op),
        signed_number(trace_->to_ns(event.ticks)), int64_t{event.thread},
        (has & trace::fAddress) != 0 ? Number(signed_number(event.address)) : Number(),
        unless_zero(event.other),
        (has & trace::fSize) != 0 ? Number(signed_number(event.size)) : Number(), count, value,
        text.empty() ? std::nullopt : std::optional(text), stack_of_event(event.stack),
        pending_->buffer);
    pending_.reset();
}

uint64_t SqliteFile::begins(const FollowedLife& life) {
    const uint64_t number = ++life_id_;
    Live& live = live_[number];
    live = {life, life.size};
    live.life.number = number;
    if (pending_) pending_->buffer = signed_number(number);
    return number;
}

void SqliteFile::concerns(const FollowedLife& life) {
    if (const auto found = live_.find(life.number); found != live_.end()) found->second.life = life;
    if (!pending_) return;
    pending_->buffer = signed_number(life.number);
    pending_->count = life.count;
}

void SqliteFile::ends(const FollowedLife& life) {
    if (pending_ && !pending_->buffer) pending_->buffer = signed_number(life.number);
    const auto found = live_.find(life.number);
    if (found == live_.end()) return;
    Live& live = found->second;
    live.bytes -= std::min(live.bytes, life.size);
    if (life.type == FollowedLife::kMapping && live.bytes != 0) return;
    if (life.type != FollowedLife::kMapping) live.life = life;
    const uint64_t ticks = pending_ ? pending_->event.ticks : trace_->header().start_ticks;
    write_life(live.life, signed_number(trace_->to_ns(ticks)), unless_zero(event_id_));
    live_.erase(found);
}

void SqliteFile::goes_on(const FollowedLife& life) {
    if (pending_ && !pending_->buffer) pending_->buffer = signed_number(life.number);
    Live& live = live_.try_emplace(life.number, Live{life, 0}).first->second;
    live.bytes += life.size;
}

void SqliteFile::write_life(const FollowedLife& life, Number ended_ns, Number ended_event) {
    std::string_view type = "heap";
    if (life.type == FollowedLife::kMapping) type = "mapping";
    if (is_counted(life.type)) type = trace_->strings()[life.type];
    tables_->buffers.row(signed_number(life.number), signed_number(starts_.size()), type,
                         signed_number(life.address), signed_number(life.size),
                         is_counted(life.type) ? Number(life.count) : Number(),
                         signed_number(trace_->to_ns(life.begin_ticks)), stack_of_event(life.stack),
                         ended_ns, ended_event);
}

void SqliteFile::trace_ends(uint64_t) {
    write_event();
    for (auto& [number, live] : live_) {
        if (live.life.type == FollowedLife::kMapping) live.life.size = live.bytes;
        write_life(live.life, {}, {});
    }
    live_.clear();
}

void SqliteFile::add_process(const Process& process, int64_t id) {
    const std::string command = fmt::format("{}", fmt::join(process.command, " "));
    const std::string warnings = fmt::format("{}", fmt::join(process.warnings, "\n"));
    tables_->processes.row(
        id, int64_t{process.pid}, std::string_view(process.executable), std::string_view(command),
        std::string_view(process.level), std::string_view(process.started),
        std::string_view(process.ended), signed_number(starts_[static_cast<size_t>(id) - 1]),
        std::string_view(process.exit), int64_t{process.complete}, signed_number(process.events),
        signed_number(process.lost), signed_number(process.sample_bytes),
        signed_number(process.sample_interval), std::string_view(process.trace),
        std::string_view(warnings));
}

void SqliteFile::add_finding(const Finding& finding, int64_t rank) {
    using Text = std::optional<std::string_view>;
    const Culprit* const culprit = finding.culprit ? &*finding.culprit : nullptr;
    const auto of_culprit = [&](auto value) {
        return culprit != nullptr ? std::optional(value(*culprit)) : std::nullopt;
    };
    tables_->findings.row(
        rank, std::string_view(finding.id), signed_number(finding.process + 1),
        kind_name(finding.kind), std::string_view(finding.type), signed_number(finding.count),
        signed_number(finding.bytes),
        of_culprit([](const Culprit& one) { return cause_name(one.cause); }),
        of_culprit([](const Culprit& one) { return one.confidence; }),
        of_culprit([](const Culprit& one) { return int64_t{one.ambiguous}; }),
        of_culprit([](const Culprit& one) { return std::string_view(one.frame.function); }),
        of_culprit([](const Culprit& one) { return std::string_view(one.frame.file); }),
        of_culprit([](const Culprit& one) { return int64_t{one.frame.line}; }),
        culprit != nullptr ? Text(culprit->explanation) : Text(finding.reason),
        culprit != nullptr ? stack_of_node(tree_.node_of(culprit->stack)) : Number(),
        stack_of_node(tree_.node_of(finding.created)), unless_zero(finding.example.buffer));
}

std::string SqliteFile::finish(const Report& report) {
    int64_t process = 0, rank = 0;
    for (const Process& one : report.processes) add_process(one, ++process);
    for (const Finding& one : report.findings) add_finding(one, ++rank);
    add_frames_and_stacks();
    database_.run(kSqliteIndexes);
    database_.run("COMMIT");
    return database_.failure();
}

}  // namespace

std::string_view sqlite_missing() {
    return {};
}

std::unique_ptr<StreamedReport> sqlite_report(const StreamTarget& target) {
    return std::make_unique<SqliteFile>(target);
}

}  // namespace lastref
