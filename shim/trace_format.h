// The trace file: the whole format and its specification.
//
// Written by the shim (record_writer, trace_file), read by the analyzer (analyzer/read). This is
// the only header that both sides share, so it needs nothing but the standard integer types and
// holds no code with side effects.
//
// Version policy: `kTraceVersion` is raised whenever a reader of the old version would
// misunderstand a new file. A reader accepts its own version only and names both numbers when
// they differ. Fields in the header page that were zero may gain a meaning without a new version.
//
// LAYOUT
//   [0, 4096)   TraceHeader
//   [4096, ...) chunks, back to back, each starting with a ChunkHeader, each a multiple of
//               kChunkUnit long. All integers are little-endian. A chunk whose magic is not yet
//               written (the process died while making it) is all zero at its start: a reader
//               goes on at the next multiple of kChunkUnit that holds a chunk magic. Space after
//               the last chunk is reserved and zero.
//   [names_offset, + names_size)   behind chunks_end, where `lastref symbolize` put it: NAMES
//
// CRASH SAFETY. The file is a shared mapping; the kernel keeps what was stored there however the
// process ends. A writer first stores a record's bytes, then raises ChunkHeader::committed, so
// bytes below `committed` are whole records. Nothing above it means anything.
//
// CHUNK KINDS
//   kEvents  records of one log. A log is the stream of one thread (a second log of the same
//            thread holds what a signal handler did while the first was being written). Chunks of
//            a log carry its id and ascending `sequence`. Each chunk decodes on its own: all
//            deltas start from the chunk's header, strings are defined again in each chunk. A log
//            whose thread ended may be handed to another thread: a kThread record says so. In a
//            ring (ring_size) chunks are used again, so sequences have gaps, and what is left of
//            the time up to cut_ticks is not whole: a reader leaves it out.
//   kMeta    records that describe the process (threads, modules), in the same coding. Log id
//            kMetaLog. Never dropped by a ring.
//   kStacks  stack definitions (STACKS below), back to back. `base_address` is the id of the first,
//            the others follow one by one. Chunks hold ids apart from each other's; ids that no
//            chunk defines are not used. `committed` counts whole definitions. Never dropped by a
//            ring.
//
// RECORDS. One byte: low five bits the Op, high three bits RecordFlags. Then the fields of the
// op in the order of kFields below. Number codings:
//   varint   unsigned LEB128, at most 10 bytes
//   svarint  zigzag, then varint
//   time     varint: ticks since the previous record of this chunk (the first: since
//            base_ticks). Never negative: a log's times do not decrease.
//   address  svarint of (address - previous address of this chunk) / 16, or, with flag
//            kByteAddress, not divided. The previous address starts as base_address. Each address
//            field becomes the previous address for the next one, within a record too.
//   size     varint, bytes
//   stack    svarint of (stack id - previous stack id of this chunk); absent with kSameStack,
//            meaning the previous stack id of this chunk, and with kNoStack, meaning id 0, which
//            leaves the previous stack id as it was. The previous stack id starts as 0.
//   string   varint: index of a string defined in this chunk (0 for the first kString record)
//   text     varint length, then that many bytes
//
// ORDER. The end of an address's life is recorded before the real call, its begin after
// it, with times to match. Merging all logs by time, and by position within a log, therefore
// never shows an address reused before it was freed. Where times are equal across logs, ending
// records come before beginning ones.
//
// STACKS. A stack is an id. Ids below kFirstStack are the stack without frames, and say why no
// frame lies further out (StackEnd). Every other id is defined once, by what it shares with another
// stack:
//   svarint  base - id: the stack that it begins like, outermost frame first, or a StackEnd
//   varint   drop: so many of base's innermost frames are left out
//   varint   count of frames added inwards of those, at least 1; then for each, from the outermost
//            inwards, svarint of (word - previous word of this chunk), which starts as 0. A word is
//            the frame's pc times two, plus one where the pc is exact: where a signal interrupted
//            the frame. Without it the pc is a return address (look up pc - 1).
// A definition with count 0 defines nothing and takes no id: `drop` is the module epoch of the
// frames that this chunk adds from here on (base is 0; a chunk starts with epoch 0). The epoch
// counts modules unloaded before a frame was captured: it identifies the module that owned the pc
// then. `base` may be defined in any chunk, before or behind. Two ids may be the same stack:
// threads that meet a stack at the same moment, or a writer that forgot, define it twice.
//
// NAMES. The names of code addresses, so that a trace can be read where the programs are not.
// Not written by the shim. Readers that do not know of it see a trace without names. All varints:
//   count of texts; each a text (function and file names; no limit of kMaxText)
//   count of places; for each, ascending by module and address:
//     module: its place among the kLoad records, or their number for code in no module
//     address: the ELF address of the call (svarint, - the previous place's)
//     count of frames, the innermost inlined one first; for each the function's text, the file's
//       text, the line (indexes from 0)
#ifndef LASTREF_SHIM_TRACE_FORMAT_H
#define LASTREF_SHIM_TRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

namespace lastref::trace {

inline constexpr char kTraceMagic[8] = {'L', 'A', 'S', 'T', 'R', 'E', 'F', '\n'};
inline constexpr uint32_t kTraceVersion = 2;
inline constexpr uint32_t kByteOrderMark = 0x01020304;
inline constexpr uint32_t kHeaderSize = 4096;
inline constexpr uint32_t kChunkUnit = 4096;
inline constexpr uint32_t kChunkMagic = 0x4b43524c;  // "LRCK"
inline constexpr uint32_t kMaxChunkSize = 1u << 24;  // a larger size is damage
inline constexpr uint32_t kMaxText = 4096;           // a longer text is damage
inline constexpr uint32_t kMaxRecordSize = 3 * kMaxText;

enum class Clock : uint32_t { kTsc = 1, kMonotonic = 2 };
enum class Level : uint32_t { kDisabled = 0, kSimple = 1, kAdvanced = 2, kParanoid = 3 };

// How the process ended, as far as the trace knows. kNone: it still runs, or died without a word.
enum class ExitKind : uint32_t { kNone = 0, kStatus = 1, kSignal = 2, kExec = 3 };

// Why events are missing; index into TraceHeader::lost.
enum class Loss : uint32_t {
    kNoSpace = 0,    // the file could not be extended (full disk, quota, RLIMIT_FSIZE)
    kSizeLimit = 1,  // LASTREF_MAX_SIZE reached
    kNested = 2,     // more signal handlers on top of each other than logs
    kContended = 3,  // a slow-path lock could not be had in bounded time
    kSandbox = 4,    // after a seccomp filter the reserve was used up
    kNoMemory = 5,   // the shim got no memory for its own tables
    kNoFile = 6,     // the file could not be reached again (fds closed and path gone)
    kCount = 16,
};

// Facts that limit what a verdict may say; bits of TraceHeader::notes.
enum Note : uint32_t {
    kNoteOwnMalloc = 1u << 0,      // the program's own allocator: its heap is not seen
    kNoteInherited = 1u << 1,      // forked from a traced parent: earlier blocks are unknown
    kNoteStopped = 1u << 2,        // recording stopped before the end (see lost)
    kNoteCommandCut = 1u << 3,     // the command line is longer than the header keeps
    kNoteNoFreeStacks = 1u << 4,   // LASTREF_FREE_STACKS=0
    kNoteLateStart = 1u << 5,      // recording began in a process that already ran
    kNoteHeapByEntries = 1u << 6,  // the program's own allocator is seen by its entries, from the
                                   // shim's constructor on: a few blocks are older
    kNoteHeapInPart = 1u << 7,     // some of the program's code allocates unseen
};

struct TraceHeader {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;   // kByteOrderMark
    uint32_t header_size;  // kHeaderSize
    uint32_t machine;      // ELF e_machine
    Clock clock;
    Level level;     // as asked for
    uint32_t notes;  // Note bits
    int32_t pid;
    int32_t parent_pid;
    uint32_t depth;               // frames kept per stack
    uint8_t trace_id[16];         // random
    uint8_t run_id[16];           // set by `lastref run`, else zero: files of one run share it
    uint8_t parent_trace_id[16];  // of the process that this one was forked from, else zero
    uint64_t process_start;       // /proc/PID/stat field 22, in clock ticks since boot
    // Two readings of both clocks; ticks map to nanoseconds by the line through them. The second
    // pair is renewed as the file is written.
    uint64_t start_ticks;
    uint64_t start_monotonic_ns;
    uint64_t start_realtime_ns;
    uint64_t last_ticks;
    uint64_t last_monotonic_ns;
    uint64_t ticks_per_second;  // an estimate by the writer, 0 where it has none
    uint64_t chunks_end;        // file offset after the last chunk handed out
    ExitKind exit_kind;
    int32_t exit_value;  // status or signal number
    uint64_t exit_ticks;
    uint64_t lost[static_cast<uint32_t>(Loss::kCount)];
    uint32_t epoch;         // current module epoch
    uint32_t command_size;  // bytes used of `command`
    char executable[1024];  // absolute path, NUL-terminated
    char command[2048];     // arguments, each NUL-terminated
    // Sampling (levels simple and advanced): one heap sampling point per so many bytes, one buffer
    // in so many. 0: everything was recorded.
    uint64_t sample_bytes;
    uint64_t sample_interval;
    // A ring: events take at most so many bytes, the oldest chunk of the process goes first. 0:
    // none.
    uint64_t ring_size;
    uint64_t cut_ticks;   // no later event was dropped: after this the trace is complete
    uint64_t cut_chunks;  // how many chunks were dropped
    // NAMES; size 0: none. Written after all else.
    uint64_t names_offset;  // a multiple of kChunkUnit, not below chunks_end
    uint64_t names_size;
    // Children that only borrowed this process' memory (vfork) and ended without having run a
    // program, as where there was none of that name: each has a kFork and no trace.
    uint64_t borrowers_ended;
    // Soft RLIMIT_AS, bytes, when an allocation last failed; UINT64_MAX: no limit. 0: none failed,
    // or the limit could not be asked for.
    uint64_t address_space_limit;
    // Children that were forked under a seccomp filter: they are not recorded, for their filter may
    // kill for any system call.
    uint64_t confined_children;
    uint64_t children;    // begun by fork, vfork, clone or posix_spawn: each has a kFork
    char executed[160];   // after ExitKind::kExec: the program's path, cut; empty: not known
    char said[200];       // the first message of the shim, cut
    uint32_t said_aloud;  // 1: it was printed on the program's stderr
    uint8_t reserved[260];
};
static_assert(sizeof(TraceHeader) == kHeaderSize);
static_assert(offsetof(TraceHeader, chunks_end) == 152);

enum class ChunkKind : uint16_t { kEvents = 1, kMeta = 2, kStacks = 3 };
inline constexpr uint32_t kMetaLog = 0;

struct ChunkHeader {
    uint32_t magic;  // kChunkMagic, stored last
    ChunkKind kind;
    uint16_t flags;
    uint32_t size;       // bytes, header included; a multiple of kChunkUnit
    uint32_t committed;  // payload bytes that are valid
    uint32_t log;        // log id, from 1; kMetaLog for kMeta
    uint32_t sequence;   // 0 for the log's first chunk
    uint32_t thread;     // ordinal of the thread that writes at the chunk's start
    uint32_t order;      // counts chunks over the whole file, from 0
    uint64_t base_ticks;
    uint64_t base_monotonic_ns;
    uint64_t base_address;  // kStacks: id of the first stack defined
    uint64_t last_ticks;    // of a ring's finished chunk: time of its last record
};
static_assert(sizeof(ChunkHeader) == 64);

// In memory, both sides mark the pc of an interrupted frame so.
inline constexpr uint64_t kExactPc = 1ull << 63;
enum StackEnd : uint32_t {
    kStackComplete = 0,  // the outermost frame was reached
    kStackCut = 1,       // LASTREF_DEPTH reached
    kStackLost = 2,      // no rule to go on from here
};
inline constexpr uint32_t kFirstStack = 16;

enum RecordFlags : uint8_t {
    kSameStack = 0x20,
    kByteAddress = 0x40,
    kNoStack = 0x80,
};
inline constexpr uint8_t kOpMask = 0x1f;

enum class Op : uint8_t {
    kInvalid = 0,
    kMalloc = 1,
    kCalloc = 2,
    kMemalign = 3,
    kRealloc = 4,       // completes kReallocBegin; new address 0: it failed, the old block lives on
    kReallocBegin = 5,  // the old block's life ends, unless the kRealloc of this log says it failed
    kFree = 6,
    kFailed = 7,  // an allocation that returned no memory
    kMmap = 8,
    kMunmap = 9,
    kMunmapFailed = 10,  // the kMunmap before it in this log did nothing
    kMremap = 11,        // completes kMremapBegin; new address 0: it failed
    kMremapBegin = 12,
    kBreak = 13,  // brk or sbrk moved the program break
    kCreate = 14,
    kRetain = 15,
    kRelease = 16,
    kTouch = 17,
    kCount = 18,
    kMove = 19,
    kDestroy = 20,
    kMark = 21,
    kFork = 22,  // value: the child's pid, 0 where not known (vfork, clone)
    kExec = 23,  // about to run another program; records after it mean that it failed
    kExit = 24,  // detail: ExitKind, value: status or signal
    kString = 25,
    kThread = 26,      // the log goes on with another thread's records
    kThreadInfo = 27,  // kMeta: ordinal, kernel thread id, name; once more when the thread ends
    kLoad = 28,        // kMeta: a module, when first seen
    kUnload = 29,      // kMeta
    kCounted = 30,     // of a hooked library's buffer, before the record that it belongs to
    kHook = 31,        // kMeta: what hooks see and do not see (HookFact)
    kOpCount = 32,
};
static_assert(static_cast<uint8_t>(Op::kOpCount) <= kOpMask + 1);

// The fields of a record, in this order. The table is the specification and what the reader runs
// on.
enum Field : uint16_t {
    fTime = 1 << 0,       // time
    fAddress = 1 << 1,    // address: what the event is about (new address for realloc, mremap)
    fOther = 1 << 2,      // address: old address (realloc, mremap), target (move)
    fSize = 1 << 3,       // size: bytes asked for or mapped; new size
    fOtherSize = 1 << 4,  // size: old length (mremap), alignment (memalign)
    fValue = 1 << 5,      // svarint
    fDetail = 1 << 6,     // varint
    fString = 1 << 7,     // string
    fText = 1 << 8,       // text
    fText2 = 1 << 9,      // text
    fStack = 1 << 10,     // stack
};

// In the place of a kernel thread id: the thread has ended, and this was its name then. A thread
// without it was there to the end of the process, or to the end of the trace.
inline constexpr int32_t kThreadEnded = 0;

inline constexpr uint16_t kFields[static_cast<uint8_t>(Op::kOpCount)] = {
    /* kInvalid      */ 0,
    /* kMalloc       */ fTime | fAddress | fSize | fStack,
    /* kCalloc       */ fTime | fAddress | fSize | fStack,
    /* kMemalign     */ fTime | fAddress | fSize | fOtherSize | fStack,
    /* kRealloc      */ fTime | fAddress | fOther | fSize | fStack,
    /* kReallocBegin */ fTime | fAddress,
    /* kFree         */ fTime | fAddress | fStack,
    /* kFailed       */ fTime | fSize | fDetail /* FailedCall */ | fStack,
    /* kMmap         */ fTime | fAddress | fSize | fValue /* fd, -1: none */
        | fDetail /* prot | flags << 4 */ | fStack,
    /* kMunmap       */ fTime | fAddress | fSize | fStack,
    /* kMunmapFailed */ fTime | fAddress | fSize,
    /* kMremap       */ fTime | fAddress | fOther | fSize | fOtherSize | fStack,
    /* kMremapBegin  */ fTime | fAddress | fSize,
    /* kBreak        */ fTime | fAddress /* the new break */ | fValue /* increment */ | fStack,
    /* kCreate       */ fTime | fAddress | fSize | fString | fStack,
    /* kRetain       */ fTime | fAddress | fStack,
    /* kRelease      */ fTime | fAddress | fStack,
    /* kTouch        */ fTime | fAddress | fString | fStack,
    /* kCount        */ fTime | fAddress | fValue | fStack,
    /* kMove         */ fTime | fAddress /* from */ | fOther /* to */ | fStack,
    /* kDestroy      */ fTime | fAddress | fStack,
    /* kMark         */ fTime | fString | fStack,
    /* kFork         */ fTime | fValue | fStack,
    /* kExec         */ fTime | fText /* path */ | fStack,
    /* kExit         */ fTime | fValue | fDetail | fStack,
    /* kString       */ fText,
    /* kThread       */ fDetail /* ordinal */,
    /* kThreadInfo   */ fTime | fValue /* kernel tid, or kThreadEnded */ | fDetail /* ordinal */ |
        fText,
    /* kLoad         */ fTime | fAddress /* lowest mapped byte */ | fOther /* load bias */
        | fSize /* bytes mapped */ | fValue /* module index, from 0 */
        | fDetail /* epoch */ | fText /* path */ | fText2 /* build-id, raw bytes */,
    /* kUnload       */ fTime | fValue /* module index */ | fDetail /* first epoch without it */,
    /* kCounted      */ fTime | fAddress | fValue /* true counter before the operation that the
                           next record of this log holds; before a kCreate: after it */
        | fDetail /* CountedFlags */ | fString /* type */ | fStack,
    /* kHook         */ fTime | fValue | fDetail /* HookFact */ | fText /* subject */
        | fText2 /* more */,
};

enum CountedFlags : uint32_t {
    kCountKnown = 1u << 0,  // else the value means nothing
    kRevives = 1u << 1,     // at zero the buffer may wait in a pool: a retain brings it back
    kImplicit = 1u << 2,    // not all creations are seen: a new identity was created unseen
    kIfLive = 1u << 3,      // of a kDestroy: means nothing but where a buffer of this type is live
    kReturned = 1u << 4,    // of a kRelease: done by the function that returns now, and the memory
                            // may be gone since
};

// The fact that a kHook record states; subject, value and more as listed here.
enum class HookFact : uint32_t {
    kType = 1,        // a type whose operations are hooked; CountedFlags
    kHooked = 2,      // a library; functions hooked in it
    kRefused = 3,     // a function; 0; why it is not hooked
    kPartial = 4,     // a type; 0; what is not seen of it: no verdict is drawn
    kBadPointer = 5,  // a function; how often until now; its rule's place
    kOff = 6,         // nothing is hooked (any more); 0; why
    kNoCounter = 7,   // a type; what was read; why its counter is not read any more. No reading of
                      // this trace was the count
    kCounterFollowed = 8,  // a type: its counter did what operations do; without it, no reading is
                           // known to be the count
    kLibcData = 9,  // at the end, of libc: words of its variables that may be addresses of blocks;
                    // how many; the words (64 bits each). Further records have more of them
    kHeap = 10,  // the module of an allocator that is not behind the shim; functions of it that are
                 // seen by their entries, 0: none; why not
};

// The call that a kFailed record is about.
enum class FailedCall : uint32_t {
    kMalloc = 1,
    kCalloc = 2,
    kMemalign = 3,
    kRealloc = 4,
    kMmap = 5,
    kMremap = 6,
    kBreak = 7,
    kReallocArray = 8,
    kPosixMemalign = 9,
    kAlignedAlloc = 10,
    kValloc = 11,
    kPvalloc = 12,
};

}  // namespace lastref::trace

#endif  // LASTREF_SHIM_TRACE_FORMAT_H
