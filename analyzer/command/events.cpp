#include "command/events.h"

#include <memory>
#include <string>
#include <unordered_map>

#include "analyze/elf_frames.h"
#include "analyze/stack_names.h"
#include "command/exit_status.h"
#include "command/line_output.h"
#include "command/ring_cut.h"
#include "pack/open_trace.h"
#include "read/event_merger.h"
#include "read/op_names.h"
#include "read/op_table.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

using namespace trace;

class EventLines {
public:
    EventLines(TraceFile& trace, const EventsOptions& options)
        : trace_(trace),
          stacks_(options.stacks),
          frames_(trace, options.symbols),
          names_(trace.stacks(), frames_) {}

    void write(const Event& event);
    void write_losses();
    LineOutput& output() { return out_; }

private:
    void key(std::string_view name) {
        out_.text(",\"");
        out_.text(name);
        out_.text("\":");
    }
    void address(std::string_view name, uint64_t value) {
        key(name);
        out_.text("\"");
        out_.hexadecimal(value);
        out_.text("\"");
    }
    template <typename Number>
    void number(std::string_view name, Number value) {
        key(name);
        out_.number(value);
    }
    void string(std::string_view name, std::string_view value) {
        key(name);
        out_.json_string(value);
    }
    void field(const OpField& one, const Event& event);
    void stack(uint32_t id);
    void frames(uint32_t id);
    void lost(std::string_view reason, uint64_t count);

    TraceFile& trace_;
    const bool stacks_;
    ElfFrames frames_;
    StackNames names_;
    LineOutput out_;
    // Stacks as text: the same few come again and again. Emptied when it gets big.
    std::unordered_map<uint32_t, std::string> written_stacks_;
    size_t written_bytes_ = 0;
};

// What an op's record has is in kFields; what its own fields are called, in kOps.
void EventLines::write(const Event& event) {
    const std::string_view op = event_name(event.op);
    if (op.empty()) return;
    out_.text("{\"op\":\"");
    out_.text(op);
    out_.text("\"");
    number("time_ns", trace_.to_ns(event.ticks));
    const uint16_t has = kFields[static_cast<uint8_t>(event.op)];
    number("thread", event.op == Op::kThreadInfo ? event.detail : event.thread);
    if (has & fAddress) address("address", event.address);
    if (has & fSize) number("size", event.size);
    for (const OpField& one : op_row(event.op).fields) field(one, event);
    if ((has & fStack) && event.stack != 0) stack(event.stack);
    out_.text("}");
    out_.end_line();
}

void EventLines::field(const OpField& one, const Event& event) {
    switch (one.shown) {
        case Shown::kNothing:
            return;
        case Shown::kNumber:
            return one.field == fValue ? number(one.name, event.value)
                                       : number(one.name, event.other_size);
        case Shown::kAddress:
            return address(one.name, event.other);
        case Shown::kText:
        case Shown::kFailedCall:
        case Shown::kMunmapCall:
            return string(one.name, field_text(one, event, trace_.strings()));
        case Shown::kProtection:
            return number(one.name, event.detail & 15);
        case Shown::kMapFlags:
            return number(one.name, event.detail >> 4);
        case Shown::kCountIfKnown:
            if (event.detail & kCountKnown) number(one.name, event.value);
            return;
        case Shown::kExitValue:
            return number(field_text(one, event, trace_.strings()), event.value);
    }
}

void EventLines::stack(uint32_t id) {
    key("stack");
    if (!stacks_) return out_.number(id);
    if (const auto known = written_stacks_.find(id); known != written_stacks_.end()) {
        return out_.text(known->second);
    }
    const size_t begin = out_.position();
    frames(id);
    const std::string_view text = out_.since(begin);
    constexpr size_t kMostBytes = 64 << 20;
    if (written_bytes_ + text.size() > kMostBytes) {
        written_stacks_.clear();
        written_bytes_ = 0;
    }
    written_bytes_ += text.size();
    written_stacks_.emplace(id, text);
}

void EventLines::frames(uint32_t id) {
    out_.text("[");
    bool first = true;
    names_.visit(id, [&](const Frame& frame) {
        out_.text(first ? "{\"function\":" : ",{\"function\":");
        first = false;
        out_.json_string(frame.function);
        string("file", frame.file);
        number("line", frame.line);
        string("module", frame.module);
        string("build_id", frame.build_id);
        number("offset", frame.offset);
        key("inlined");
        out_.text(frame.inlined ? "true}" : "false}");
        return true;
    });
    out_.text("]");
}

void EventLines::lost(std::string_view reason, uint64_t count) {
    out_.text("{\"op\":\"lost\"");
    if (count != 0) number("count", count);
    string("reason", reason);
    out_.text("}");
    out_.end_line();
}

void EventLines::write_losses() {
    for (uint32_t i = 0; i < static_cast<uint32_t>(Loss::kCount); ++i) {
        const uint64_t count = trace_.header().lost[i];
        if (count != 0) lost(loss_name(static_cast<Loss>(i)), count);
    }
    for (const Damage& damage : trace_.damage().kept()) {
        lost("damaged at offset " + std::to_string(damage.offset) + ": " + damage.reason, 0);
    }
    if (const std::string cut = ring_cut(trace_); !cut.empty()) lost("the ring: " + cut, 0);
    if (const uint64_t chunks = trace_.damage().missing_chunks(); chunks != 0) {
        lost(std::to_string(chunks) + " chunks of events are missing from the file", 0);
    }
}

}  // namespace

int events_command(const EventsOptions& options) {
    Result<std::unique_ptr<TraceFile>> opened = open_trace(options.trace);
    if (!opened) {
        return fail(kUnreadable, opened.error().message());
    }
    TraceFile& trace = **opened;
    EventLines lines(trace, options);
    EventMerger merger(trace);
    while (const Event* const event = merger.next()) {
        if (options.buffer && event->address != *options.buffer &&
            event->other != *options.buffer) {
            continue;
        }
        lines.write(*event);
        if (lines.output().closed()) break;
    }
    lines.write_losses();
    const std::string failure = lines.output().finish();
    return failure.empty() ? 0 : fail(kUsage, failure);
}

}  // namespace lastref
