#include "recorder.h"

#include <string.h>

#include "clock.h"
#include "record_writer.h"
#include "session.h"
#include "stack_walk.h"
#include "startup_arena.h"

namespace lastref::recorder {
namespace {

using trace::Loss;

constexpr uint32_t kMaxString = 255;

// One record in the making: picks what it is written with, and gives the level back however it
// ends.
class Recording {
public:
    Recording() : saved_(t_depth), level_(saved_ < kLogs ? saved_ : 0) {
        t_depth = level_ + 1;
        if (saved_ >= kLogs) [[unlikely]]
            start_over(level_);
        asm volatile("" ::: "memory");  // a handler sees the level taken
    }
    ~Recording() {
        asm volatile("" ::: "memory");
        t_depth = saved_;
    }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    // The log with room for a record and `bytes` of text; nullptr: the event is lost, and counted.
    Log* log(uint32_t bytes) {
        writer_ = &t_state->writers[level_];
        Log* log = &writer_->log;
        if (log->cursor + bytes < log->limit) [[likely]]
            return log;
        log = make_room(level_, bytes);
        writer_ = &t_state->writers[level_];
        return log;
    }

    // Once there is a log. `ahead`: what was seen of this stack before, if anything was.
    uint32_t stack(const CallSite& site, const LookedAt* ahead = nullptr) {
        OwnStack& own = t_state->own_stack;
        StackMemo* memo = writer_->memo;
        if (!memo) [[unlikely]]
            return 0;  // a handler forked
        const LookedAt looked =
            ahead && ahead->memo == memo ? *ahead : look_at_stack(site, own, *memo);
        return capture_stack(site, own, may_call_kernel(), looked, writer_->stack_log);
    }

private:
    // All logs were taken, most likely by handlers that left by longjmp: what they had half done in
    // the first log ends with its chunk.
    __attribute__((noinline)) static void start_over(uint32_t level) {
        ThreadState* state = t_state;
        if (state->attached) state->writers[level].log.limit = nullptr;
    }

    uint32_t saved_, level_;
    Writer* writer_;
};

enum class When { kBefore, kAfter };

// A thread counts itself in before its first record, so before it frees anything; loads are not
// reordered on x86-64, so who was given what it freed sees that count.
inline uint64_t ticks_now(When when) {
    const Session& session = *process.session;
    if (when == When::kBefore) return ticks_before(session.clock);
    return ticks_after(session.clock, session.next_thread.load(std::memory_order_relaxed) < 2);
}

template <Op op>
[[gnu::always_inline]] inline void record_now(When when, const Fields& fields, const CallSite* site,
                                              const LookedAt* ahead = nullptr) {
    Recording scope;
    Log* log = scope.log(fields.text_size);
    if (!log) return;
    const uint64_t ticks = ticks_now(when);  // what the walk waits for is not waited for here
    const uint32_t stack = site ? scope.stack(*site, ahead) : 0;
    if (!write_record<op>(*log, ticks, fields, stack)) count_loss(Loss::kNested);
}

template <Op op>
inline void record(When when, const Fields& fields, const CallSite* site) {
    if (recording) record_now<op>(when, fields, site);
}

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

uint64_t number(const void* address) {
    return reinterpret_cast<uintptr_t>(address);
}

void failed(FailedCall call, size_t size, const CallSite& site) {
    Fields fields;
    fields.size = size;
    fields.detail = static_cast<uint32_t>(call);
    record<Op::kFailed>(When::kAfter, fields, &site);
}

}  // namespace

LookedAt look_ahead(const CallSite& site) {
    const uint32_t level = t_depth;
    ThreadState* state = t_state;
    if (level >= kLogs || !state->writers[level].memo) [[unlikely]]
        return {};
    return look_at_stack(site, state->own_stack, *state->writers[level].memo);
}

namespace {

template <Op op>
[[gnu::always_inline]] inline void record_block(const void* block, size_t size,
                                                const CallSite& site, const LookedAt* ahead) {
    if (!block) [[unlikely]] {
        failed(op == Op::kCalloc ? FailedCall::kCalloc : FailedCall::kMalloc, size, site);
        return;
    }
    if (startup_arena::owns(block)) [[unlikely]]
        return;  // our own look-up, not the program's doing
    t_last_block = block;
    Fields fields;
    fields.address = number(block);
    fields.size = size;
    record_now<op>(When::kAfter, fields, &site, ahead);
}

}  // namespace

void block_began(const void* block, size_t size, const CallSite& site, const LookedAt* ahead) {
    record_block<Op::kMalloc>(block, size, site, ahead);
}

void zeroed_block_began(const void* block, size_t size, const CallSite& site) {
    record_block<Op::kCalloc>(block, size, site, nullptr);
}

void aligned_block_began(const void* block, size_t size, size_t alignment, const CallSite& site) {
    if (!block) {
        failed(FailedCall::kMemalign, size, site);
        return;
    }
    t_last_block = block;
    Fields fields;
    fields.address = number(block);
    fields.size = size;
    fields.other_size = alignment;
    record<Op::kMemalign>(When::kAfter, fields, &site);
}

namespace {

[[gnu::noinline]] void block_ends_with_stack(const Fields& fields, const CallSite& site) {
    record_now<Op::kFree>(When::kBefore, fields, &site);
}

}  // namespace

void block_ends(const void* block, const CallSite& site) {
    Fields fields;
    fields.address = number(block);
    if (process.config.free_stacks && process.config.level != trace::Level::kSimple)
        block_ends_with_stack(fields, site);
    else
        record_now<Op::kFree>(When::kBefore, fields, nullptr);
}

bool realloc_begins(const void* old_block) {
    if (!wants_block_end(old_block)) return false;
    Fields fields;
    fields.address = number(old_block);
    record<Op::kReallocBegin>(When::kBefore, fields, nullptr);
    return true;
}

void realloc_done(bool old_recorded, const void* old_block, const void* new_block, size_t size,
                  const CallSite& site) {
    if (!new_block) {
        if (!recording) return;
        failed(FailedCall::kRealloc, size, site);
        if (!old_recorded) return;
        if (sampling()) process.session->blocks->insert(old_block, 0);
    } else if (!wants_block(new_block, size)) {
        return;  // the old block's end has been recorded, if it had to be
    }
    Fields fields;
    fields.address = number(new_block);
    fields.other = old_recorded ? number(old_block) : 0;
    fields.size = size;
    record<Op::kRealloc>(When::kAfter, fields, &site);
}

namespace slow {

bool take_block(const void* block, size_t size) {
    ThreadState* state = t_state;
    if (!state->attached) {
        {
            Recording scope;
            if (!scope.log(0)) return false;
        }
        // The session may have begun just now, and with it the level be known.
        if (!sampling()) return true;
        state = t_state;
        if (!state->attached || !sample_block(state->points, size, process.config.sample_bytes)) {
            return false;
        }
    }
    return process.session->blocks->insert(block, 0);
}

bool drop_block(const void* block) {
    return process.session->blocks->remove(block);
}

}  // namespace slow

void mapping_began(const void* address, size_t size, int protection, int flags, int fd,
                   const CallSite& site) {
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    fields.value = fd;
    fields.detail = static_cast<uint32_t>(protection & 0xf) | static_cast<uint32_t>(flags) << 4;
    record<Op::kMmap>(When::kAfter, fields, &site);
}

void mapping_failed(FailedCall call, size_t size, const CallSite& site) {
    failed(call, size, site);
}

void mapping_ends(const void* address, size_t size, const CallSite& site) {
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMunmap>(When::kBefore, fields, &site);
}

void mapping_did_not_end(const void* address, size_t size) {
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMunmapFailed>(When::kAfter, fields, nullptr);
}

void remap_begins(const void* address, size_t size) {
    Fields fields;
    fields.address = number(address);
    fields.size = size;
    record<Op::kMremapBegin>(When::kBefore, fields, nullptr);
}

void remap_done(const void* old_address, const void* new_address, size_t old_size, size_t new_size,
                const CallSite& site) {
    Fields fields;
    fields.address = number(new_address);
    fields.other = number(old_address);
    fields.size = new_size;
    fields.other_size = old_size;
    record<Op::kMremap>(When::kAfter, fields, &site);
    if (!new_address) failed(FailedCall::kMremap, new_size, site);
}

void break_moved(const void* end, intptr_t increment, const CallSite& site) {
    Fields fields;
    fields.address = number(end);
    fields.value = increment;
    record<Op::kBreak>(When::kAfter, fields, &site);
}

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

void forked(int32_t child, const CallSite& site) {
    Fields fields;
    fields.value = child;
    record<Op::kFork>(When::kAfter, fields, &site);
}

void about_to_exec(const char* path, const CallSite& site) {
    Fields fields;
    fields.text = path ? path : "";
    fields.text_size = static_cast<uint32_t>(strnlen(fields.text, trace::kMaxText - 1));
    record<Op::kExec>(When::kBefore, fields, &site);
}

void about_to_exit(trace::ExitKind kind, int32_t value, const CallSite& site) {
    Fields fields;
    fields.value = value;
    fields.detail = static_cast<uint32_t>(kind);
    record<Op::kExit>(When::kBefore, fields, &site);
}

}  // namespace lastref::recorder
