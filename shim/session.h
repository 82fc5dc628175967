// The recording of one process: its states, its memory, its file.
//
//                    first event or constructor
//        kNone ───────────────────────────────────▶ kStarting ──▶ kRecording ──▶ kStopped
//          ▲                                            │             │      nothing can be written
//          │ fork: the kernel zeroes the session        ▼             │      any more; losses are
//          └────────────────────────────────────── kDisabled         │      still counted
//                                                                     ▼
//                                                       exit, exec, a kill: the file stays as it is
//
// Two kinds of state. `Process` is what a forked child inherits (configuration, the parent's
// mappings to drop). `Session` and everything got from session_memory() lives in memory that the
// kernel zeroes in a forked child (MADV_WIPEONFORK), however the fork was made: every log of the
// child then has no room, its first event takes the slow path, and that starts a session of its
// own. No lock, half-written record or other thread's state is ever inherited.
#ifndef LASTREF_SHIM_SESSION_H
#define LASTREF_SHIM_SESSION_H

#include <stdint.h>
#include <atomic>

#include "clock.h"
#include "config.h"
#include "messages.h"
#include "module_table.h"
#include "sampler.h"
#include "session_memory.h"
#include "slow_lock.h"
#include "stack_table.h"
#include "thread_log.h"
#include "trace_file.h"

namespace lastref {

enum class SessionState : uint32_t { kNone = 0, kStarting, kRecording, kStopped, kDisabled };

struct Session {
    std::atomic<SessionState> state;
    SlowLock lock;
    SlowLock module_lock;  // of the module look-up, taken within `lock` or without
    TickSource clock;
    int32_t pid;
    std::atomic<uint32_t> next_thread;
    std::atomic<uint32_t> next_log;
    std::atomic<uint32_t> stop_reason;  // Loss, while kStopped
    ThreadState* ended_threads;         // under lock: the longest ended first
    ThreadState** last_ended;           // where the next one is linked
    Slab memory;                        // under lock: see session_memory
    Log meta;                           // under lock
    StackTable stacks;
    ModuleTable modules;
    TrackedSet* blocks;  // at the sampling levels: what is in the sample and live
    TrackedSet* buffers;
};

struct Process {
    Config config;
    Session* session;
    TraceFile file;  // under the session's lock
    char executable[1024];
    char program[64];      // last part of the executable's path
    uint8_t trace_id[16];  // of this process' trace
    uint32_t heap_notes;   // trace::Note: what is seen of the program's allocator
    bool sandboxed;        // a seccomp filter may forbid our system calls
    bool clocks_given_up;  // see give_up_clocks
    MessageState messages;
    unsigned long key;  // pthread key for thread ends
    bool have_key;
    uint32_t generation;  // forks that led here and were recorded
    uintptr_t vdso;       // its ELF header, 0: none
    Slab memory;          // under lock: see inherited_memory
};

extern Process process;

// True at the levels that record a sample.
inline bool sampling() {
    return process.config.level != trace::Level::kParanoid;
}

// True while events may be recorded: the hot path's first test.
extern bool recording;

// Starts the session if that is possible now; true while recording. Called by the constructor and
// by the first event, whichever comes first.
bool ensure_session();

// The environment without libc's help, for a constructor that runs before it is set up.
void set_environment(char** environment);

// In the child of a fork. `nested`: the fork was made on top of an unfinished record.
void restart_in_child(bool nested);

// What becomes of this process, into the header. `gone`: the process is about to end, the file is
// cut to its length.
void note_exit(trace::ExitKind kind, int32_t value);
void trim_now();

// A child that borrows this process' memory ends without having run a program. Called in it.
void note_borrower_ended();

// Reserves space and memory for a process that is about to lose its system calls.
void prepare_sandbox();
// While true, no system call of ours is made.
void set_sandboxed(bool sandboxed);

// Before the process gives up reading the time-stamp counter.
void give_up_clocks();

// Notes both clocks' present readings in the header.
void renew_clock();

// CLOCK_MONOTONIC, or what was last read of it where clocks may not be read.
uint64_t monotonic_now();

void count_loss(trace::Loss loss, uint64_t count = 1);

inline bool may_call_kernel() {
    return !process.sandboxed;
}

// Copies what another thread may be unmapping: the kernel refuses where there is nothing. False
// where it does, or can't be asked. Needs a session.
bool copy_memory(const void* from, void* to, size_t size);

}  // namespace lastref

#endif  // LASTREF_SHIM_SESSION_H
