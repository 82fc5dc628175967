#include "thread_log.h"

#include <string.h>
#include <sys/prctl.h>

#include "clock.h"
#include "libc_functions.h"
#include "record_writer.h"
#include "session.h"

namespace lastref {

ThreadState empty_thread_state;
constinit thread_local ThreadState* t_state __attribute__((tls_model("initial-exec"))) =
    &empty_thread_state;
constinit thread_local uint32_t t_depth __attribute__((tls_model("initial-exec")));

constinit thread_local const void* t_last_block __attribute__((tls_model("initial-exec")));
constinit thread_local const void* t_deleted_block __attribute__((tls_model("initial-exec")));

namespace {

using trace::Loss;

constexpr uint32_t kFirstChunk = 16u << 10;
constexpr uint32_t kLaterChunk = 64u << 10;

// Under the lock: a fresh chunk for the log. False where there is none.
bool new_chunk(Session& session, Log& log, trace::ChunkKind kind, uint32_t thread) {
    const bool events = kind == trace::ChunkKind::kEvents;
    if (log.chunk) {
        if (events)
            finish_event_chunk(process.file, {log.chunk, log.extent}, log.last_ticks);
        else
            finish_chunk(process.file, log.extent);
    }
    log.chunk = nullptr;
    log.cursor = log.limit = nullptr;
    Loss refusal;
    const uint32_t size = log.sequence == 0 ? kFirstChunk : kLaterChunk;
    const Chunk taken = events ? take_event_chunk(process.file, size, refusal)
                               : take_chunk(process.file, size, refusal);
    if (!taken.header) {
        session.stop_reason.store(static_cast<uint32_t>(refusal), std::memory_order_relaxed);
        session.state.store(SessionState::kStopped, std::memory_order_release);
        process.file.header->notes |= trace::kNoteStopped;
        return false;
    }
    trace::ChunkHeader& chunk = *taken.header;
    chunk.kind = kind;
    chunk.log = log.id;
    chunk.sequence = log.sequence++;
    chunk.thread = thread;
    chunk.base_ticks = ticks_after(session.clock);
    if (chunk.base_ticks < log.last_ticks) chunk.base_ticks = log.last_ticks;
    chunk.base_monotonic_ns = monotonic_now();
    chunk.base_address = log.last_address;
    std::atomic_ref(chunk.magic).store(trace::kChunkMagic, std::memory_order_release);
    log.chunk = &chunk;
    log.extent = taken.extent;
    log.last_ticks = chunk.base_ticks;
    log.last_stack = 0;
    log.string_count = 0;
    memset(log.strings, 0, sizeof(log.strings));
    memset(log.types, 0, sizeof(log.types));
    log.limit = log.payload() + (chunk.size - sizeof(trace::ChunkHeader)) - kRecordMargin;
    log.cursor = log.payload();
    renew_clock();
    return true;
}

void write_thread_info(Session& session, const ThreadState& state, int32_t kernel_id) {
    Log* meta = make_meta_room(sizeof(state.name));
    if (!meta) return;
    Fields fields;
    fields.value = kernel_id;
    fields.detail = state.thread;
    fields.text = state.name;
    fields.text_size = static_cast<uint32_t>(strnlen(state.name, sizeof(state.name)));
    write_record<trace::Op::kThreadInfo>(*meta, ticks_after(session.clock), fields, 0);
}

void read_thread_name(char (&name)[16]) {
    if (may_call_kernel()) raw::call(SYS_prctl, PR_GET_NAME, reinterpret_cast<long>(name));
}

ThreadState* new_state() {
    auto* state = static_cast<ThreadState*>(session_memory(sizeof(ThreadState)));
    if (!state) return nullptr;
    for (Writer& writer : state->writers) {
        writer.memo = static_cast<StackMemo*>(inherited_memory(sizeof(StackMemo)));
        if (!writer.memo) return nullptr;
        StackMemo& memo = *writer.memo;
        memo.capacity = process.config.depth;
        const auto array = [&memo](uint64_t size) {
            return inherited_memory(memo.capacity * size);
        };
        memo.frames = static_cast<MemoFrame*>(array(sizeof(MemoFrame)));
        memo.rest = static_cast<MemoRest*>(array(sizeof(MemoRest)));
        memo.fp_slots = static_cast<FpSlot*>(array(sizeof(FpSlot)));
        memo.fresh = static_cast<FreshFrame*>(array(sizeof(FreshFrame)));
        memo.rules = static_cast<RuleFront*>(inherited_memory(sizeof(RuleFront)));
        if (!memo.frames || !memo.rest || !memo.fp_slots || !memo.fresh || !memo.rules)
            return nullptr;
    }
    return state;
}

// Under the lock: the state of a thread that is gone, if one of the longest ended is.
ThreadState* take_ended(Session& session) {
    if (!may_call_kernel()) return nullptr;
    ThreadState** link = &session.ended_threads;
    constexpr int kLooks = 4, kNoSuchProcess = 3;
    for (int i = 0; i < kLooks && *link; i++, link = &(*link)->next_ended) {
        ThreadState* state = *link;
        if (raw::call(SYS_tgkill, session.pid, state->kernel_id, 0) != -kNoSuchProcess) continue;
        *link = state->next_ended;
        if (!*link) session.last_ended = link;
        state->next_ended = nullptr;
        return state;
    }
    return nullptr;
}

// Under the lock: gives this thread a state.
ThreadState* attach_thread(Session& session) {
    ThreadState* state = take_ended(session);
    if (!state) {
        state = new_state();
        if (!state) {
            count_loss(Loss::kNoMemory);
            return nullptr;
        }
    }
    state->attached = 1;
    state->thread = session.next_thread.fetch_add(1, std::memory_order_relaxed);
    state->own_stack.hand_over();
    for (Writer& writer : state->writers) writer.memo->count = 0;
    state->kernel_id = may_call_kernel() ? raw::thread_id() : 0;
    memset(state->name, 0, sizeof(state->name));
    read_thread_name(state->name);
    for (Writer& writer : state->writers) {
        Log& log = writer.log;
        if (!log.chunk || log.cursor >= log.limit) continue;
        Fields fields;
        fields.detail = state->thread;
        write_record<trace::Op::kThread>(log, 0, fields, 0);
    }
    write_thread_info(session, *state, state->kernel_id);
    t_state = state;
    return state;
}

void watch_thread_end(ThreadState* state) {
    // Up to 32 keys glibc keeps in the thread itself; beyond, setting one may allocate.
    if (process.have_key && process.key < 32) {
        libc.pthread_setspecific(static_cast<pthread_key_t>(process.key), state);
    }
}

}  // namespace

Log* make_room(uint32_t level, uint32_t bytes) {
    if (!recording) return nullptr;
    if (process.session && process.session->state.load() == SessionState::kNone) {
        restart_in_child(level != 0);
    }
    if (!ensure_session()) return nullptr;
    Session& session = *process.session;
    if (session.state.load(std::memory_order_acquire) == SessionState::kStopped) {
        count_loss(static_cast<Loss>(session.stop_reason.load(std::memory_order_relaxed)));
        return nullptr;
    }
    // An exec that failed: the process is still here.
    trace::TraceHeader& header = *process.file.header;
    if (header.exit_kind == trace::ExitKind::kExec) header.exit_kind = trace::ExitKind::kNone;
    bool attached = false;
    Log* log = nullptr;
    {
        SlowLockHolder lock(session.lock, may_call_kernel());
        if (!lock.owned()) {
            count_loss(Loss::kContended);
            return nullptr;
        }
        ThreadState* state = t_state;
        if (!state->attached) {
            state = attach_thread(session);
            if (!state) return nullptr;
            attached = true;
        }
        log = &state->writers[level].log;
        if (log->id == 0) log->id = 1 + session.next_log.fetch_add(1, std::memory_order_relaxed);
        if (!log->chunk || log->cursor + bytes >= log->limit) {
            if (!new_chunk(session, *log, trace::ChunkKind::kEvents, state->thread)) {
                count_loss(static_cast<Loss>(session.stop_reason.load()));
                return nullptr;
            }
        }
    }
    if (attached) watch_thread_end(t_state);
    return log;
}

Log* make_meta_room(uint32_t bytes) {
    Session& session = *process.session;
    Log& log = session.meta;
    log.id = trace::kMetaLog;
    if (!log.chunk || log.cursor + bytes >= log.limit) {
        if (!new_chunk(session, log, trace::ChunkKind::kMeta, 0)) {
            count_loss(static_cast<Loss>(session.stop_reason.load()));
            return nullptr;
        }
    }
    return &log;
}

void thread_ends(void*) {
    // Other keys' destructors, which free, run before and after this one. The last round is the
    // fourth (PTHREAD_DESTRUCTOR_ITERATIONS); asking for it leaves them all before us but those.
    static constinit thread_local uint32_t rounds __attribute__((tls_model("initial-exec")));
    if (++rounds < 3) {
        libc.pthread_setspecific(static_cast<pthread_key_t>(process.key), t_state);
        return;
    }
    ThreadState* state = t_state;
    if (!state->attached || !process.session) return;
    Session& session = *process.session;
    SlowLockHolder lock(session.lock, may_call_kernel());
    if (!lock.owned() || !state->attached) return;
    read_thread_name(state->name);
    write_thread_info(session, *state, trace::kThreadEnded);
    if (!session.last_ended) session.last_ended = &session.ended_threads;
    *session.last_ended = state;
    session.last_ended = &state->next_ended;
}

}  // namespace lastref
