// A thread's own part of the recording: its logs, and the memory that a stack walk needs.
//
// A log is written by one thread at a time, without locks. Each thread has kLogs of them: while a
// record is being written in one, a signal handler's events go to the next. `t_depth` counts how
// many records are being written on this thread.
//
//   a handler that leaves by longjmp never lets the record below it finish, and t_depth stays up.
//   When all logs are taken the first is used again: its writer, should it still exist, sees that
//   the cursor has moved and drops its record.
//
// Thread states outlive their threads. A thread's own end is reported early, by a key's destructor,
// and events still come after it; so its state waits until the kernel knows the thread no more, and
// is then handed to a new thread, which goes on in the same chunks.
#ifndef LASTREF_SHIM_THREAD_LOG_H
#define LASTREF_SHIM_THREAD_LOG_H

#include <stdint.h>

#include "sampler.h"
#include "stack_memo.h"
#include "trace_format.h"

namespace lastref {

// A string that the current chunk defines.
struct KnownString {
    uint32_t offset;  // of its bytes in the chunk's payload
    uint16_t length;
    uint16_t index;  // plus one; 0: empty slot
};

// A type of hooked buffers: text that stays where it is and as it is, so that its address alone
// shows whether a chunk defines it.
struct TypeName {
    const char* text;
    uint32_t size;
    uint32_t number;  // of the process' types, from 0
};

struct KnownType {
    const char* text;  // nullptr: empty slot
    uint32_t index;
};

struct Log {
    static constexpr unsigned kStrings = 32, kTypes = 32;

    uint8_t* cursor;  // next record
    uint8_t* limit;   // where no record may begin: the payload's end, less kRecordMargin. All zero:
                      // no chunk
    trace::ChunkHeader* chunk;
    uint64_t last_ticks, last_address;
    uint32_t last_stack;
    uint32_t id;
    uint32_t sequence;
    uint32_t string_count;
    int extent;
    KnownString strings[kStrings];
    KnownType types[kTypes];

    uint8_t* payload() const { return reinterpret_cast<uint8_t*>(chunk + 1); }
};

// No record without text is longer.
inline constexpr uint32_t kRecordMargin = 128;

inline constexpr uint32_t kLogs = 3;

// The logs that a record is written to, and the memo for its stack.
struct Writer {
    Log log;
    StackLog stack_log;  // where the stacks of the log's events are defined
    // In memory that a forked child keeps: a fork may be made on top of a running walk.
    StackMemo* memo;  // nullptr: a handler has just forked
};

struct ThreadState {
    // The writer of the usual case, and two more for records on top of an unfinished one.
    Writer writers[kLogs];
    OwnStack own_stack;
    SamplePoints points;
    uint32_t thread;    // ordinal
    uint32_t attached;  // 0: wiped by a fork
    int32_t kernel_id;
    char name[16];
    ThreadState* next_ended;
};

// The state that every thread starts with: no room in any log, never written to.
extern ThreadState empty_thread_state;

extern constinit thread_local ThreadState* t_state __attribute__((tls_model("initial-exec")));
extern constinit thread_local uint32_t t_depth __attribute__((tls_model("initial-exec")));

// The block recorded last as begun, and the one that an allocator's operator delete is freeing:
// see interpose_new.cpp.
extern constinit thread_local const void* t_last_block __attribute__((tls_model("initial-exec")));
extern constinit thread_local const void* t_deleted_block
    __attribute__((tls_model("initial-exec")));

// Room for a record of `bytes` more than kRecordMargin in log number `level` of this thread, in
// one chunk. The slow path: starts the session, attaches the thread, takes a new chunk. nullptr
// where there is none; the loss is counted then.
Log* make_room(uint32_t level, uint32_t bytes);

// The same for the meta log; under the session's lock.
Log* make_meta_room(uint32_t bytes);

// The thread is about to end: the destructor of the session's key.
void thread_ends(void* state);

}  // namespace lastref

#endif  // LASTREF_SHIM_THREAD_LOG_H
