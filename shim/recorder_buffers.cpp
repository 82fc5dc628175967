// Events of reference-counted buffers: from lastref.h, and from hooks in libraries.
#include <string.h>

#include "recording.h"

namespace lastref::recorder {
namespace {

constexpr uint32_t kMaxString = 255;

// The index of `text` among the strings of the log's chunk, defined there if it is new.
// The log has room for the text and two records. False where a handler took the log over.
bool string_index(Log& log, const char* text, uint32_t length, uint32_t& index) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++) {
        hash = (hash ^ static_cast<uint8_t>(text[i])) * 16777619u;
    }
    KnownString& known = log.strings[hash % Log::kStrings];
    if (known.index != 0 && known.length == length &&
        memcmp(log.payload() + known.offset, text, length) == 0) {
        index = known.index - 1u;
        return true;
    }
    Fields fields;
    fields.text = text;
    fields.text_size = length;
    if (!write_record<Op::kString>(log, 0, fields, 0)) return false;
    known.offset = static_cast<uint32_t>(log.cursor - log.payload()) - length;
    known.length = static_cast<uint16_t>(length);
    known.index = static_cast<uint16_t>(++log.string_count);
    index = log.string_count - 1;
    return true;
}

// The same of a type's name.
inline bool type_index(Log& log, const TypeName& type, uint32_t& index) {
    KnownType& known = log.types[type.number % Log::kTypes];
    if (known.text != type.text) [[unlikely]] {
        if (!string_index(log, type.text, type.size, index)) return false;
        known = {type.text, index};
    }
    index = known.index;
    return true;
}

template <Op op>
void record_with_string(When when, Fields fields, const char* text, const CallSite& site) {
    if (!recording) return;
    const auto length = static_cast<uint32_t>(text ? strnlen(text, kMaxString) : 0);
    Recording scope;
    Log* log = scope.log(length + kRecordMargin);
    if (!log) return;
    const uint32_t stack = scope.stack(site);
    if (!string_index(*log, text ? text : "", length, fields.string) ||
        !write_record<op>(*log, ticks_now(when), fields, stack)) {
        count_loss(Loss::kNested);
    }
}

}  // namespace

void buffer_created(const void* buffer, size_t size, const char* type, const CallSite& site) {
    if (!recording) return;
    if (sampling() && !t_state->attached) {
        Recording scope;  // begins the session, and with it the level is known
        if (!scope.log(0)) return;
    }
    if (sampling()) {
        ThreadState* state = t_state;
        TrackedSet& buffers = *process.session->buffers;
        // A tracked address that is created again lost its end: both lives belong in the trace.
        const bool again = buffers.holds(buffer);
        if (again)
            buffers.set(buffer, 1);
        else if (!state->attached ||
                 !sample_buffer(state->points, process.config.sample_interval) ||
                 !buffers.insert(buffer, 1)) {
            return;
        }
    }
    Fields fields;
    fields.address = number(buffer);
    fields.size = size;
    record_with_string<Op::kCreate>(When::kAfter, fields, type, site);
}

void buffer_event(Op op, const void* buffer, const CallSite& site) {
    if (!wants_buffer_event(buffer)) return;
    Fields fields;
    fields.address = number(buffer);
    if (sampling()) {
        TrackedSet& buffers = *process.session->buffers;
        const int64_t count =
            op == Op::kDestroy ? 0 : buffers.add(buffer, op == Op::kRetain ? 1 : -1);
        const bool ends = count <= 0;
        if (ends) buffers.remove(buffer);
        if (process.config.level == trace::Level::kSimple) {
            // Only whether it ended is kept.
            if (ends) record<Op::kDestroy>(When::kBefore, fields, nullptr);
            return;
        }
    }
    if (op == Op::kRetain)
        record<Op::kRetain>(When::kAfter, fields, &site);
    else if (op == Op::kRelease)
        record<Op::kRelease>(When::kBefore, fields, &site);
    else
        record<Op::kDestroy>(When::kBefore, fields, &site);
}

void buffer_touched(const void* buffer, const char* hint, const CallSite& site) {
    if (!wants_buffer_event(buffer) || process.config.level == trace::Level::kSimple) return;
    Fields fields;
    fields.address = number(buffer);
    record_with_string<Op::kTouch>(When::kBefore, fields, hint, site);
}

void buffer_counted(const void* buffer, long count, const CallSite& site) {
    if (!wants_buffer_event(buffer)) return;
    if (sampling()) process.session->buffers->set(buffer, count);
    if (process.config.level == trace::Level::kSimple) return;
    Fields fields;
    fields.address = number(buffer);
    fields.value = count;
    record<Op::kCount>(When::kAfter, fields, &site);
}

void buffer_moved(const void* from, const void* to, const CallSite& site) {
    if (!wants_buffer_event(from)) return;
    if (sampling()) {
        TrackedSet& buffers = *process.session->buffers;
        const int64_t count = buffers.add(from, 0);
        buffers.remove(from);
        if (!buffers.holds(to)) buffers.insert(to, count);
    }
    Fields fields;
    fields.address = number(from);
    fields.other = number(to);
    record<Op::kMove>(When::kAfter, fields, &site);
}

namespace {

// At the sampling levels: whether the event is recorded, and as what. kInvalid: not.
Op sampled_hooked_event(Op op, const void* buffer, const Hooked& hooked) {
    ThreadState* state = t_state;
    TrackedSet& buffers = *process.session->buffers;
    const int64_t counted = (hooked.flags & trace::kCountKnown) != 0 ? hooked.count : INT64_MIN;
    if (op == Op::kCreate) {
        if (buffers.holds(buffer)) return buffers.set(buffer, 1), op;
        const bool taken = state->attached &&
                           sample_buffer(state->points, process.config.sample_interval) &&
                           buffers.insert(buffer, 1);
        return taken ? op : Op::kInvalid;
    }
    if (counted != INT64_MIN) buffers.set(buffer, counted);
    bool ends = op == Op::kDestroy;
    if (op == Op::kRetain || op == Op::kRelease) {
        ends = buffers.add(buffer, op == Op::kRetain ? 1 : -1) <= 0 &&
               (hooked.flags & trace::kRevives) == 0;
    }
    if (ends) buffers.remove(buffer);
    if (process.config.level != trace::Level::kSimple) return op;
    return ends ? Op::kDestroy : Op::kInvalid;  // only whether it ended is kept
}

template <Op op>
void write_hooked(Log& log, const Fields& fields, uint32_t stack, uint64_t ticks) {
    if (!write_record<op>(log, ticks, fields, stack)) count_loss(Loss::kNested);
}

}  // namespace

void hooked_event(Op op, const void* buffer, const Hooked& hooked, const CallSite& site) {
    if (!recording) return;
    if (sampling()) {
        if (!t_state->attached) {
            Recording scope;  // begins the session, and with it the level is known
            if (!scope.log(0)) return;
        }
        if (op != Op::kCreate && !wants_buffer_event(buffer)) return;
        op = sampled_hooked_event(op, buffer, hooked);
        if (op == Op::kInvalid) return;
    }
    Recording scope;
    Log* log = scope.log(hooked.type.size + 2 * kRecordMargin);
    if (!log) return;
    const uint32_t stack = scope.stack(site);
    Fields fields;
    fields.address = number(buffer);
    fields.other = fields.address;
    fields.value = hooked.count;
    fields.detail = hooked.flags;
    if (!type_index(*log, hooked.type, fields.string)) return count_loss(Loss::kNested);
    const bool ends = op == Op::kRelease || op == Op::kDestroy;
    const uint64_t ticks = ticks_now(ends ? When::kBefore : When::kAfter);
    // A create needs no word about its count where that is one.
    if (hooked.flags != 0 && !(op == Op::kCreate && hooked.count == 1)) {
        write_hooked<Op::kCounted>(*log, fields, stack, ticks);
    }
    switch (op) {
        case Op::kCreate:
            return write_hooked<Op::kCreate>(*log, fields, stack, ticks);
        case Op::kRetain:
            return write_hooked<Op::kRetain>(*log, fields, stack, ticks);
        case Op::kRelease:
            return write_hooked<Op::kRelease>(*log, fields, stack, ticks);
        case Op::kMove:
            return write_hooked<Op::kMove>(*log, fields, stack, ticks);
        case Op::kDestroy:
            return write_hooked<Op::kDestroy>(*log, fields, stack, ticks);
        default:
            if (!string_index(*log, "", 0, fields.string)) return count_loss(Loss::kNested);
            return write_hooked<Op::kTouch>(*log, fields, stack, ticks);
    }
}

void phase_began(const char* phase, const CallSite& site) {
    record_with_string<Op::kMark>(When::kAfter, {}, phase, site);
}

}  // namespace lastref::recorder
