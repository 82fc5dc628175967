// One trace, opened and checked: header, chunks by log, stacks, modules, threads,
// clock.
//
// Distrusts every byte. A fault that makes a trace unreadable is an Error of open(); later damage
// is collected in damage() as it is met, and reading goes on behind it. Not thread-safe. Events
// come from EventMerger; everything else about a trace is here.
#ifndef LASTREF_ANALYZER_READ_TRACE_FILE_H
#define LASTREF_ANALYZER_READ_TRACE_FILE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "read/byte_source.h"
#include "read/chunk_index.h"
#include "read/damage.h"
#include "read/log_cursor.h"
#include "read/result.h"
#include "read/stack_nodes.h"
#include "read/string_pool.h"
#include "read/trace_clock.h"
#include "read/trace_names.h"
#include "trace_format.h"

namespace lastref {

// A module as the meta records describe it (kLoad, kUnload).
struct ModuleRecord {
    std::string path;
    std::string build_id;  // lower-case hexadecimal
    uint64_t address = 0;  // lowest mapped byte
    uint64_t size = 0;
    uint64_t bias = 0;         // mapped address - ELF address
    uint32_t first_epoch = 0;  // in [first_epoch, end_epoch) it was mapped
    uint32_t end_epoch = UINT32_MAX;
};

struct ThreadRecord {
    uint32_t ordinal = 0;  // Event::thread
    int64_t kernel_id = 0;
    std::string name;
};

// A fact about the hooks in other people's libraries (kHook); see HookFact.
struct HookRecord {
    trace::HookFact fact;
    int64_t value = 0;
    uint32_t subject = 0;  // string id
    std::string more;
};

class TraceFile {
public:
    // The bytes of a plain trace, however they are stored (see open_trace), and what is known to be
    // damaged of them. Errors: not a trace, empty, another version or byte order, header cut off.
    static Result<std::unique_ptr<TraceFile>> read(std::unique_ptr<ByteSource> bytes,
                                                   const std::string& path, DamageList damage = {});
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;

    const std::string& path() const { return path_; }
    uint64_t size() const { return bytes_->size(); }              // of the plain trace
    uint64_t file_size() const { return bytes_->stored_size(); }  // less where it is packed
    const ByteSource& bytes() const { return *bytes_; }
    bool is_packed() const { return bytes_->is_packed(); }
    const trace::TraceHeader& header() const { return header_; }
    std::string executable() const;
    std::vector<std::string> command() const;
    uint64_t lost() const;  // sum of all loss counters

    const std::vector<Log>& logs() const { return index_.logs; }
    LogCursor cursor(const Log& log);
    StackNodes& stacks() { return *stacks_; }
    StringPool& strings() { return strings_; }
    const std::vector<ModuleRecord>& modules() const { return modules_; }
    const std::vector<ThreadRecord>& threads() const { return threads_; }
    const std::vector<HookRecord>& hooks() const { return hooks_; }
    // Words of the C library's variables at the end: HookFact::kLibcData.
    const std::vector<uint64_t>& libc_words() const { return libc_words_; }
    // The names of code addresses, where `lastref symbolize` wrote them into the trace.
    const TraceNames& names() const { return names_; }
    DamageList& damage() { return damage_; }
    const DamageList& damage() const { return damage_; }

    // Nanoseconds since the trace began.
    uint64_t to_ns(uint64_t ticks) const { return clock_.to_ns(ticks); }

private:
    TraceFile(std::unique_ptr<ByteSource> bytes, std::string path);
    void read_meta();

    std::string path_;
    std::unique_ptr<ByteSource> bytes_;
    trace::TraceHeader header_{};
    TraceClock clock_;
    DamageList damage_;
    StringPool strings_;
    ChunkIndex index_;
    std::unique_ptr<StackNodes> stacks_;
    std::vector<ModuleRecord> modules_;
    std::vector<ThreadRecord> threads_;
    std::vector<HookRecord> hooks_;
    std::vector<uint64_t> libc_words_;
    TraceNames names_;
};

// Nothing was lost or damaged, as far as the file was read.
bool is_whole(const TraceFile& trace);
// The process has nothing from before the trace.
bool begins_with_process(const TraceFile& trace);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_TRACE_FILE_H
