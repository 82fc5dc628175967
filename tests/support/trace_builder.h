// Makes trace files in memory, for tests of what reads them.
//
// Written from the specification in trace_format.h, not from the shim, so that a test of the
// reader does not share the writer's mistakes. Events are given per log with absolute ticks,
// addresses and stack ids; the coding is done here. Defaults: the monotonic clock (ticks are
// nanoseconds), start at tick 1000, pid 42, exit status 0.
#ifndef LASTREF_TESTS_SUPPORT_TRACE_BUILDER_H
#define LASTREF_TESTS_SUPPORT_TRACE_BUILDER_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "read/event.h"
#include "read/trace_file.h"
#include "trace_format.h"

namespace lastref::testing {

// A record before coding: an Event's fields with its texts in clear.
struct Record {
    Event event;
    std::string string;  // fString, or fText
    std::string text2;
};

class TraceBuilder {
public:
    TraceBuilder();

    trace::TraceHeader header{};

    // A stack of pcs (kExactPc allowed), innermost first. Returns its id, one for equal stacks.
    uint32_t stack(const std::vector<uint64_t>& pcs, uint32_t epoch = 0);

    // Adds a record to a log. Ticks must not fall within a log.
    TraceBuilder& add(uint32_t log, const Record& record);
    // Begins a new chunk of that log, with the given sequence where the next one is to be skipped.
    TraceBuilder& new_chunk(uint32_t log);
    TraceBuilder& skip_sequence(uint32_t log);

    // Time goes on by one tick per call in all of these; log 1 and thread 1 by default.
    uint64_t now = 1000;
    uint32_t log = 1;
    TraceBuilder& malloc(uint64_t address, uint64_t size, uint32_t stack = 0);
    TraceBuilder& free(uint64_t address, uint32_t stack = 0);
    TraceBuilder& realloc_begin(uint64_t address);
    TraceBuilder& realloc_end(uint64_t from, uint64_t to, uint64_t size, uint32_t stack = 0);
    TraceBuilder& failed(trace::FailedCall call, uint64_t size, uint32_t stack = 0);
    TraceBuilder& mmap(uint64_t address, uint64_t size, uint32_t stack = 0);
    TraceBuilder& munmap(uint64_t address, uint64_t size, uint32_t stack = 0);
    TraceBuilder& munmap_failed(uint64_t address, uint64_t size);
    TraceBuilder& mremap_begin(uint64_t address, uint64_t size);
    TraceBuilder& mremap_end(uint64_t from, uint64_t old_size, uint64_t to, uint64_t size,
                             uint32_t stack = 0);
    TraceBuilder& create(uint64_t buffer, uint64_t size, const std::string& type,
                         uint32_t stack = 0);
    TraceBuilder& retain(uint64_t buffer, uint32_t stack = 0);
    TraceBuilder& release(uint64_t buffer, uint32_t stack = 0);
    TraceBuilder& touch(uint64_t buffer, const std::string& hint, uint32_t stack = 0);
    TraceBuilder& count(uint64_t buffer, int64_t value, uint32_t stack = 0);
    // For a hooked library's buffer, before the operation that follows. `flags`: CountedFlags.
    TraceBuilder& counted(uint64_t buffer, int64_t value, const std::string& type, uint32_t flags);
    TraceBuilder& move(uint64_t from, uint64_t to, uint32_t stack = 0);
    TraceBuilder& destroy(uint64_t buffer, uint32_t stack = 0);
    TraceBuilder& load(int64_t module, uint64_t address, uint64_t size, const std::string& path,
                       const std::string& build_id = "", uint32_t epoch = 0);
    TraceBuilder& unload(int64_t module, uint32_t epoch);
    TraceBuilder& hook(trace::HookFact fact, const std::string& subject, int64_t value,
                       const std::string& more = "");
    // Words of libc's variables at the end.
    TraceBuilder& libc_data(const std::vector<uint64_t>& words);
    TraceBuilder& thread_info(uint32_t ordinal, int64_t kernel_id, const std::string& name);

    // The finished file. May be called again after more was added.
    std::vector<uint8_t> bytes() const;
    // The same, opened; fails the program if the reader rejects it.
    std::unique_ptr<TraceFile> open() const;

private:
    struct ChunkRecords {
        uint32_t sequence = 0;
        std::vector<Record> records;
    };
    struct LogChunks {
        uint32_t next_sequence = 0;
        std::vector<ChunkRecords> chunks;
    };

    Record at_now(trace::Op op);
    static std::vector<uint8_t> encode(const ChunkRecords& chunk, uint64_t base_ticks,
                                       uint64_t base_address, uint32_t thread);

    std::map<uint32_t, LogChunks> logs_;
    struct StackFrames {
        std::vector<uint64_t> pcs;  // innermost first
        uint32_t epoch;
    };
    std::vector<uint8_t> encode_stacks() const;

    std::map<std::pair<uint32_t, std::vector<uint64_t>>, uint32_t> stack_ids_;
    std::vector<StackFrames> stacks_;  // the first has id kFirstStack
};

}  // namespace lastref::testing

#endif  // LASTREF_TESTS_SUPPORT_TRACE_BUILDER_H
