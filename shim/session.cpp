#include "session.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "confinement.h"
#include "error_text.h"
#include "frame_rules.h"
#include "hooks.h"
#include "parent_process.h"
#include "raw_syscall.h"
#include "text.h"

namespace lastref {

constinit Process process{};
constinit bool recording = true;  // until the first look says otherwise

namespace {

using trace::Loss;

constexpr uint16_t kMachineX86_64 = 62;  // EM_X86_64

char** start_environment;

uint64_t process_start_time() {
    const int fd = raw::open("/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    char text[1024] = {};
    raw::read(fd, text, sizeof(text) - 1);
    raw::close(fd);
    // Field 22, counted from behind the program's name, which may hold anything.
    const char* p = strrchr(text, ')');
    for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
    uint64_t value = 0;
    if (p) {
        for (p++; *p >= '0' && *p <= '9'; p++) value = value * 10 + static_cast<uint64_t>(*p - '0');
    }
    return value;
}

void read_executable() {
    const long length =
        raw::call(SYS_readlinkat, AT_FDCWD, reinterpret_cast<long>("/proc/self/exe"),
                  reinterpret_cast<long>(process.executable), sizeof(process.executable) - 1);
    if (raw::failed(length)) {
        Text path(process.executable, sizeof(process.executable));
        const auto* started_as = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
        if (started_as) path.add(started_as);
    } else {
        process.executable[length] = 0;
    }
    const char* slash = strrchr(process.executable, '/');
    Text program(process.program, sizeof(process.program));
    program.add(slash ? slash + 1 : process.executable);
    if (program.size() == 0) program.add("program");
}

void read_command(trace::TraceHeader& header) {
    const int fd = raw::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return;
    uint32_t size = 0;
    long got;
    while (size < sizeof(header.command) &&
           (got = raw::read(fd, header.command + size, sizeof(header.command) - size)) > 0) {
        size += static_cast<uint32_t>(got);
    }
    raw::close(fd);
    header.command_size = size;
    if (size == sizeof(header.command)) header.notes |= trace::kNoteCommandCut;
}

void fill_header(trace::TraceHeader& header, Session& session, const uint8_t* parent_id) {
    header.machine = kMachineX86_64;
    header.clock =
        session.clock == TickSource::kTsc ? trace::Clock::kTsc : trace::Clock::kMonotonic;
    header.level = process.config.level;
    header.pid = session.pid;
    header.parent_pid = static_cast<int32_t>(raw::call(SYS_getppid));
    header.depth = process.config.depth;
    if (!process.config.free_stacks) header.notes |= trace::kNoteNoFreeStacks;
    header.notes |= process.heap_notes;
    if (parent_id) {
        header.notes |= trace::kNoteInherited;
        memcpy(header.parent_trace_id, parent_id, sizeof(header.parent_trace_id));
    }
    raw::call(SYS_getrandom, reinterpret_cast<long>(process.trace_id), sizeof(process.trace_id),
              GRND_NONBLOCK);
    memcpy(header.trace_id, process.trace_id, sizeof(header.trace_id));
    memcpy(header.run_id, process.config.run_id, sizeof(header.run_id));
    header.process_start = process_start_time();
    memcpy(header.executable, process.executable, sizeof(header.executable));
    header.epoch = loader_state.epoch.load(std::memory_order_relaxed);
    read_command(header);
    header.start_realtime_ns = clock_ns(CLOCK_REALTIME);
    header.start_ticks = header.last_ticks = ticks_after(session.clock);
    header.start_monotonic_ns = header.last_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
}

// The name that was asked for was taken. Expected where one run makes several traces.
void say_other_name() {
    say("LASTREF_OUT=", process.config.out, " exists already; writes ", process.file.path);
}

const char* advice_for(int error) {
    switch (error) {
        case EACCES:
        case EISDIR:
        case ENOENT:
        case ENOTDIR:
        case EPERM:
        case EROFS:
            return "; set LASTREF_OUT to a writable place. The program runs untraced";
        case EDQUOT:
        case EFBIG:
        case ENOSPC:
            return "; set LASTREF_OUT to a place with room. The program runs untraced";
        case ENAMETOOLONG:
            return "; set LASTREF_OUT to a shorter name. The program runs untraced";
        default:
            return ". The program runs untraced";
    }
}

void say_no_trace(int error) {
    char reason[200];
    Text(reason, sizeof(reason)).add(": ").add(error_text(error)).add(advice_for(error));
    say("no trace: can't make ", process.file.path[0] ? process.file.path : process.config.out,
        reason);
}

// Opens the file and fills the session; the state on success is kRecording.
bool begin(Session& session, const uint8_t* parent_id) {
    session.pid = raw::process_id();
    session.clock = choose_clock(process.vdso);
    const int error = create_trace_file(process.file, process.config, process.program, session.pid);
    if (error != 0) {
        say_no_trace(error);
        return false;
    }
    fill_header(*process.file.header, session, parent_id);
    const uint8_t no_run[sizeof(process.config.run_id)] = {};
    const bool own_run = memcmp(process.config.run_id, no_run, sizeof(no_run)) == 0;
    const bool fixed_name = !strstr(process.config.out, "%p") && !strstr(process.config.out, "%n");
    if (own_run && !parent_id && fixed_name && process.file.name_tries > 1) say_other_name();
    auto* slots = session_memory(ModuleTable::kSlots * sizeof(KnownModule));
    if (!slots) {
        say("no trace: no memory for lastref's own tables. The program runs untraced");
        return false;
    }
    session.modules.slots = static_cast<KnownModule*>(slots);
    if (sampling()) {
        session.blocks = static_cast<TrackedSet*>(session_memory(sizeof(TrackedSet)));
        session.buffers = static_cast<TrackedSet*>(session_memory(sizeof(TrackedSet)));
        if (!session.blocks || !session.buffers) {
            say("no trace: no memory for lastref's own tables. The program runs untraced");
            return false;
        }
        process.file.header->sample_bytes = process.config.sample_bytes;
        process.file.header->sample_interval = process.config.sample_interval;
    }
    session.state.store(SessionState::kRecording, std::memory_order_release);
    if (process.config.verbose) {
        char sample[160];
        Text text(sample, sizeof(sample));
        if (sampling()) {
            text.add(", a sample: one heap block per ").add_number(process.config.sample_bytes);
            text.add(" bytes, one buffer in ").add_number(process.config.sample_interval);
        }
        process.messages.said = false;
        say("writes ", process.file.path, sample);
    }
    return true;
}

void disable(Session* session) {
    recording = false;
    if (session) session->state.store(SessionState::kDisabled, std::memory_order_release);
}

}  // namespace

void set_environment(char** environment) {
    start_environment = environment;
}

bool ensure_session() {
    if (!recording) return false;
    if (process.session) {
        const SessionState state = process.session->state.load(std::memory_order_acquire);
        if (state == SessionState::kRecording || state == SessionState::kStopped) return true;
        if (state == SessionState::kNone) restart_in_child(false);
        return recording && process.session->state.load() == SessionState::kRecording;
    }
    char** environment = start_environment ? start_environment : environ;
    if (!environment) return false;  // libc is not set up yet: a later event, or the constructor
    if (getauxval(AT_SECURE)) {
        disable(nullptr);
        return false;
    }
    char complaint[1024];
    read_config(environment, process.config, complaint, sizeof(complaint));
    if (process.config.level == trace::Level::kDisabled) {
        disable(nullptr);
        return false;
    }
    if (started_confined(process.config)) {
        disable(nullptr);
        // Asked for, so the user takes it upon himself that writing is permitted.
        if (process.config.verbose) {
            prepare_messages();
            say("no trace: the program was started in a seccomp sandbox; LASTREF_CONFINED=1 "
                "records it, where the sandbox permits that. The program runs untraced");
        }
        return false;
    }
    if (!process.config.follow_fork && parent_follows_no_children()) {
        disable(nullptr);
        return false;
    }
    prepare_messages();
    process.vdso = getauxval(AT_SYSINFO_EHDR);
    if (complaint[0]) say(complaint);
    read_executable();
    auto* session = static_cast<Session*>(wiped_on_fork((sizeof(Session) + 4095) & ~4095ull));
    if (!session) {
        say("no trace: the kernel has no MADV_WIPEONFORK (Linux 4.14) or no memory is left. The "
            "program runs untraced");
        disable(nullptr);
        return false;
    }
    session->state.store(SessionState::kStarting);
    process.session = session;
    if (!begin(*session, nullptr)) {
        disable(session);
        return false;
    }
    if (complaint[0]) note_said(complaint, process.messages.said);
    return true;
}

void restart_in_child(bool nested) {
    Session& session = *process.session;
    SessionState expected = SessionState::kNone;
    if (!session.state.compare_exchange_strong(expected, SessionState::kStarting)) return;
    const bool traced = process.file.header != nullptr;
    process.generation++;
    if (process.sandboxed) {
        // Its filter is the child's too. The count goes into the parent's header, which is shared.
        if (traced) {
            __atomic_fetch_add(&process.file.header->confined_children, 1, __ATOMIC_RELAXED);
        }
        forget_trace_file(process.file);
        t_state = &empty_thread_state;
        return disable(&session);
    }
    // Rules cached by the parent must not keep the child from meeting their modules; and a thread
    // that was inside dlclose is not here.
    loader_state.epoch.fetch_add(1, std::memory_order_acq_rel);
    loader_state.closing.store(0, std::memory_order_release);
    drop_frame_rules();
    abandon_trace_file(process.file, nested);
    t_state = &empty_thread_state;
    uint8_t parent_id[16];
    memcpy(parent_id, process.trace_id, sizeof(parent_id));
    if (!traced || !process.config.follow_fork || process.clocks_given_up ||
        !begin(session, parent_id)) {
        disable(&session);
    } else {
        hooks::session_restarted();
    }
    // No look at the loader's list here: its lock may have been held when the fork was made.
    // Modules are met again as stacks pass through them.
}

bool copy_memory(const void* from, void* to, size_t size) {
    if (!may_call_kernel()) return false;
    const iovec local = {to, size}, remote = {const_cast<void*>(from), size};
    return raw::call(SYS_process_vm_readv, process.session->pid, reinterpret_cast<long>(&local), 1,
                     reinterpret_cast<long>(&remote), 1) == static_cast<long>(size);
}

void note_exit(trace::ExitKind kind, int32_t value) {
    trace::TraceHeader* header = process.file.header;
    if (!header) return;
    header->exit_value = value;
    header->exit_ticks = ticks_after(process.session->clock);
    header->exit_kind = kind;
    renew_clock();
}

void note_borrower_ended() {
    if (trace::TraceHeader* header = process.file.header)
        __atomic_fetch_add(&header->borrowers_ended, 1, __ATOMIC_RELAXED);
}

void renew_clock() {
    const TickSource source = process.session->clock;
    if (source == TickSource::kCounter) return;
    trace::TraceHeader& header = *process.file.header;
    header.last_ticks = ticks_after(source);
    header.last_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
}

uint64_t monotonic_now() {
    if (process.session->clock == TickSource::kCounter) {
        return process.file.header->last_monotonic_ns;
    }
    return clock_ns(CLOCK_MONOTONIC);
}

void give_up_clocks() {
    Session& session = *process.session;
    if (session.clock == TickSource::kCounter) return;
    renew_clock();
    // Other threads may be about to write a reading somewhat later than this one.
    constexpr uint64_t kMargin = 1u << 20;
    start_counting(ticks_after(session.clock) + kMargin);
    session.clock = TickSource::kCounter;
    process.clocks_given_up = true;
}

void trim_now() {
    if (!may_call_kernel()) return;
    SlowLockHolder lock(process.session->lock, true);
    if (lock.owned()) trim_trace_file(process.file);
}

void prepare_sandbox() {
    if (!may_call_kernel()) return;
    constexpr uint32_t kReserve = 16u << 20;
    constexpr uint64_t kTables = 32u << 20;  // address space; pages are taken as needed
    SlowLockHolder lock(process.session->lock, true);
    if (!lock.owned() || process.session->memory.left >= kTables / 2) return;
    reserve_ahead(process.file, kReserve);
    if (void* memory = wiped_on_fork(kTables)) {
        process.session->memory = {static_cast<uint8_t*>(memory), kTables};
    }
    inherited_memory(1);  // a slab of that too
}

void set_sandboxed(bool sandboxed) {
    process.sandboxed = sandboxed;
    process.file.may_call_kernel = !sandboxed;
}

void count_loss(Loss loss, uint64_t count) {
    trace::TraceHeader* header = process.file.header;
    if (!header) return;
    std::atomic_ref(header->lost[static_cast<uint32_t>(loss)])
        .fetch_add(count, std::memory_order_relaxed);
}

}  // namespace lastref
