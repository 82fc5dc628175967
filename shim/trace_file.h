// The trace file as the writer sees it: made safely, grown by whole extents whose disk blocks are
// reserved before anything is stored in them, handed out in chunks.
//
// All functions run under the session's slow lock. None allocates from the heap; none touches
// errno. Blocks are reserved with fallocate (or by writing zeros where the file system can't), so
// a full disk shows here as a refusal and never as SIGBUS in the program.
//
// The descriptor is kept at a high number, close-on-exec, and is never trusted: before each use
// its device and inode are compared, since programs close or replace descriptors they do not know.
// A lost one is opened again by path; where that fails too, growth ends.
#ifndef LASTREF_SHIM_TRACE_FILE_H
#define LASTREF_SHIM_TRACE_FILE_H

#include <stdint.h>

#include "config.h"
#include "trace_format.h"

namespace lastref {

// A mapped part of the file. Unmapped when every chunk in it is finished.
struct Extent {
    uint8_t* base;
    uint64_t offset;
    uint32_t size;
    uint32_t live_chunks;
};

// A chunk of a ring that nobody writes any more.
struct FinishedChunk {
    trace::ChunkHeader* header;
    int extent;
};

struct TraceFile {
    static constexpr unsigned kMaxExtents = 4096;

    char path[4096];  // PATH_MAX
    int fd;
    int name_tries;  // how many names of the pattern were tried
    uint64_t device, inode;
    uint64_t reserved_end;  // blocks up to here are on the disk
    trace::TraceHeader* header;
    Extent extents[kMaxExtents];
    int current;  // index of the extent that chunks come from, -1: none
    uint32_t chunk_order;
    uint64_t max_size;
    bool may_call_kernel;
    bool written_ahead;  // reserving blocks wrote them: the file system can't do it otherwise
    // The ring, where there is one: its finished chunks in the order in which they were finished.
    uint64_t ring_size;
    uint64_t ring_used;
    FinishedChunk* finished;
    uint64_t finished_capacity, finished_begin, finished_count;
};

struct Chunk {
    trace::ChunkHeader* header = nullptr;  // nullptr: refused
    int extent = -1;
};

// Makes the file (O_EXCL, 0600) under the first free name of the pattern and maps its header page,
// zeroed but for magic and version. Returns 0, or a positive errno.
int create_trace_file(TraceFile& file, const Config& config, const char* program, int pid);

// A zeroed chunk of `size` bytes with its size and order set; the caller fills the rest and stores
// the magic last. Refusals are returned as a Loss.
Chunk take_chunk(TraceFile& file, uint32_t size, trace::Loss& refusal);

// The same for events: in a ring that is full, the chunk that was finished first is given out
// again, of whatever size it is.
Chunk take_event_chunk(TraceFile& file, uint32_t size, trace::Loss& refusal);

// The chunk will not be written any more.
void finish_chunk(TraceFile& file, int extent);
// The same for events, the last of them at `last_ticks`.
void finish_event_chunk(TraceFile& file, const Chunk& chunk, uint64_t last_ticks);

// Gives back the reserved space after the last chunk. More chunks may be taken later.
void trim_trace_file(TraceFile& file);

// Reserves and maps `size` bytes ahead, for a process about to lose its system calls.
void reserve_ahead(TraceFile& file, uint32_t size);

// In a forked child: drops what it inherited of its parent's file. `in_use` keeps the addresses
// mapped (to private memory), for code below us on the stack that still holds pointers there.
void abandon_trace_file(TraceFile& file, bool in_use);

// The same in a child that may make no system call: descriptor and mappings stay, unused. A record
// that the fork was made on top of is finished by both, in the parent's file, with equal bytes.
void forget_trace_file(TraceFile& file);

}  // namespace lastref

#endif  // LASTREF_SHIM_TRACE_FILE_H
