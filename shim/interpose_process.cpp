// Processes and their ends: fork, spawn, dlclose here; the ones that must not see another frame
// (vfork, exec*, _exit, ...) come from thunks.S, which calls the hooks below and jumps on.
#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "heap_entries.h"
#include "hooks.h"
#include "interpose.h"
#include "libc_data.h"
#include "module_table.h"
#include "raw_syscall.h"
#include "real_functions.h"
#include "recorder.h"
#include "session.h"
#include "stack_bounds.h"

using lastref::real;
namespace recorder = lastref::recorder;
namespace trace = lastref::trace;

namespace {

// The program's frame below a thunk: our frame, then what thunks.S pushed (seven registers), then
// the return address. The thunk leaves rbp as the program had it.
lastref::CallSite caller_through_thunk(const void* frame_address) {
    constexpr int kPushed = 7;
    const auto* frame = static_cast<const uintptr_t*>(frame_address);
    const uintptr_t* slot = frame + 2 + kPushed;
    return {*slot, reinterpret_cast<uintptr_t>(slot + 1), frame[0]};
}
#define LASTREF_THUNK_CALLER caller_through_thunk(__builtin_frame_address(0))

// False in a child that borrows this process' memory (vfork): the end of that is not our end.
bool is_recorded_process() {
    return lastref::recording && lastref::process.session && lastref::may_call_kernel() &&
           lastref::process.session->pid == lastref::raw::process_id();
}

// True in such a child; not in a raw fork's, whose session is gone.
bool is_borrower() {
    return lastref::process.session->state.load() != lastref::SessionState::kNone &&
           lastref::process.session->pid != lastref::raw::process_id();
}

void process_ends(trace::ExitKind kind, int status, const lastref::CallSite& site) {
    if (!lastref::recording || !lastref::process.session) return;
    // In a sandbox the process can't be asked for; a vfork child does not get there.
    if (lastref::may_call_kernel() && !is_recorded_process()) {
        if (is_borrower()) lastref::note_borrower_ended();
        return;
    }
    if (kind == trace::ExitKind::kStatus) lastref::note_libc_data();
    recorder::about_to_exit(kind, status, site);
    lastref::note_exit(kind, status);
    lastref::trim_now();
}

}  // namespace

extern "C" {

using namespace lastref;

LASTREF_INTERPOSE pid_t fork() {
    need_real_functions();
    const pid_t child = real.fork();
    if (child == 0) {
        if (recording && process.session && process.session->state.load() == SessionState::kNone) {
            restart_in_child(t_depth != 0);
        }
    } else if (child > 0) {
        recorder::forked(child, LASTREF_CALLER);
    }
    return child;
}

LASTREF_INTERPOSE int posix_spawn(pid_t* pid, const char* path,
                                  const posix_spawn_file_actions_t* actions,
                                  const posix_spawnattr_t* attributes, char* const arguments[],
                                  char* const environment[]) {
    need_real_functions();
    pid_t child = 0;
    const int error = real.posix_spawn(&child, path, actions, attributes, arguments, environment);
    if (error == 0) {
        if (pid) *pid = child;
        recorder::forked(child, LASTREF_CALLER);
    }
    return error;
}

LASTREF_INTERPOSE int posix_spawnp(pid_t* pid, const char* file,
                                   const posix_spawn_file_actions_t* actions,
                                   const posix_spawnattr_t* attributes, char* const arguments[],
                                   char* const environment[]) {
    need_real_functions();
    pid_t child = 0;
    const int error = real.posix_spawnp(&child, file, actions, attributes, arguments, environment);
    if (error == 0) {
        if (pid) *pid = child;
        recorder::forked(child, LASTREF_CALLER);
    }
    return error;
}

LASTREF_INTERPOSE int dlclose(void* handle) {
    need_real_functions();
    if (recording && process.session && process.session->state.load() == SessionState::kNone) {
        restart_in_child(t_depth != 0);  // before a rule of the parent's outlives its module
    }
    before_dlclose();
    const int result = real.dlclose(handle);
    after_dlclose();
    return result;
}

__attribute__((visibility("hidden"))) void lastref_before_dlopen(const char*, int flags) {
    need_real_functions();
    if (flags & RTLD_DEEPBIND) take_libc_entries();
}

// Hooks of thunks.S, each with the arguments of the function it stands before.

__attribute__((visibility("hidden"))) void lastref_before_fork() {
    need_real_functions();
    recorder::forked(0, LASTREF_THUNK_CALLER);
}

__attribute__((visibility("hidden"))) void lastref_before_exec(const char* path) {
    need_real_functions();
    if (!is_recorded_process()) return;
    // A bad pointer is the program's to find out about. A path may run into the next page.
    const bool readable = address_readable(path) && address_readable(path + 4096);
    recorder::about_to_exec(readable ? path : "", LASTREF_THUNK_CALLER);
    note_exit(trace::ExitKind::kExec, 0);
    trim_now();
}

__attribute__((visibility("hidden"))) void lastref_before_fexec(int) {
    need_real_functions();
    if (!is_recorded_process()) return;
    recorder::about_to_exec("", LASTREF_THUNK_CALLER);
    note_exit(trace::ExitKind::kExec, 0);
    trim_now();
}

__attribute__((visibility("hidden"))) void lastref_before_exit(int status) {
    need_real_functions();
    process_ends(trace::ExitKind::kStatus, status & 0xff, LASTREF_THUNK_CALLER);
}

__attribute__((visibility("hidden"))) void lastref_before_abort() {
    need_real_functions();
    constexpr int kAbortSignal = 6;
    process_ends(trace::ExitKind::kSignal, kAbortSignal, LASTREF_THUNK_CALLER);
}

}  // extern "C"

namespace {

// A seccomp filter is about to be installed, or tried: what we need is reserved before, and from
// its success on no system call of ours is made, unless the user says that filters permit ours.
template <typename Call>
long with_sandbox_in_mind(bool is_attempt, bool strict, Call call) {
    if (!is_attempt || (process.config.confined && !strict) || !is_recorded_process())
        return call();
    hooks::program_confines_itself();
    prepare_sandbox();
    if (strict) give_up_clocks();
    const bool before = process.sandboxed;
    set_sandboxed(true);
    const long result = call();
    if (result < 0) set_sandboxed(before);  // as a probe with no filter does
    return result;
}

}  // namespace

extern "C" {

LASTREF_INTERPOSE int prctl(int option, ...) {
    // As glibc's own: four words, whatever was passed.
    va_list arguments;
    va_start(arguments, option);
    const auto a = va_arg(arguments, unsigned long);
    const auto b = va_arg(arguments, unsigned long);
    const auto c = va_arg(arguments, unsigned long);
    const auto d = va_arg(arguments, unsigned long);
    va_end(arguments);
    need_real_functions();
    const bool is_seccomp = option == PR_SET_SECCOMP;
    const bool strict = is_seccomp && a == SECCOMP_MODE_STRICT;
    if (option == PR_SET_TSC && a == PR_TSC_SIGSEGV && is_recorded_process()) give_up_clocks();
    return static_cast<int>(with_sandbox_in_mind(is_seccomp && (strict || b != 0), strict,
                                                 [&] { return real.prctl(option, a, b, c, d); }));
}

// A syscall() before the look-up.
__attribute__((visibility("hidden"))) long lastref_early_syscall(long number, long a, long b,
                                                                 long c, long d, long e, long f) {
    const long result = raw::call(number, a, b, c, d, e, f);
    if (!raw::failed(result)) return result;
    errno = static_cast<int>(-result);
    return -1;
}

// syscall(SYS_seccomp, operation, flags, arguments), from thunks.S.
__attribute__((visibility("hidden"))) long lastref_seccomp(long, unsigned long operation,
                                                           unsigned long flags, void* arguments) {
    const bool strict = operation == SECCOMP_SET_MODE_STRICT;
    const bool filter = operation == SECCOMP_SET_MODE_FILTER && arguments != nullptr;
    return with_sandbox_in_mind(strict || filter, strict, [&]() -> long {
        const long result = raw::call(SYS_seccomp, static_cast<long>(operation),
                                      static_cast<long>(flags), reinterpret_cast<long>(arguments));
        if (!raw::failed(result)) return result;
        errno = static_cast<int>(-result);
        return -1;
    });
}

}  // extern "C"
