// The shim's constructor: finds the real functions, starts the session, and asks for a call at the
// process' and the threads' ends.
#include "heap_entries.h"
#include "hooks.h"
#include "interpose.h"
#include "libc_data.h"
#include "libc_functions.h"
#include "raw_syscall.h"
#include "real_functions.h"
#include "recorder.h"
#include "session.h"

namespace lastref {
namespace {

// Registered before the loader registers its own clean-up, so it runs after all destructors and
// all atexit functions of the program, with the status that exit() got or main() returned.
void at_exit(int status, void*) {
    // Not for a vfork child that calls exit(): this is its parent's memory.
    if (!recording || !process.session ||
        (may_call_kernel() && process.session->pid != raw::process_id())) {
        return;
    }
    note_libc_data();
    recorder::about_to_exit(trace::ExitKind::kStatus, status & 0xff, LASTREF_CALLER);
    note_exit(trace::ExitKind::kStatus, status & 0xff);
    trim_now();
}

__attribute__((constructor)) void start(int count, char** arguments, char** environment) {
    find_real_functions();
    set_environment(environment);
    if (!ensure_session()) return;
    note_loaded_modules();
    if (libc.on_exit) libc.on_exit(at_exit, nullptr);
    pthread_key_t key;
    if (libc.pthread_key_create && libc.pthread_setspecific &&
        libc.pthread_key_create(&key, thread_ends) == 0) {
        process.key = key;
        process.have_key = true;
    }
    take_front_entries();
    take_extra_entries();
    hooks::start(count, arguments, environment);
}

}  // namespace
}  // namespace lastref
