// Writes a trace of any length whose live set stays the same: for tests and benchmarks of how the
// analyzer's memory and time grow.
//
// Usage: long_trace FILE EVENTS LIVE [STACKS]
// Four logs take turns. LIVE heap blocks are live at any time after the start; each step frees one,
// mostly a young one, and begins another at an address that was free for a while, or makes, retains
// and releases a refcounted buffer. STACKS (200,000) stacks with five frames of their own each, of
// 20,000 different addresses; most events come from a few of them. The same arguments make the same
// file.
//
// Records come from the shim's own writer, so that the format can't drift.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "coding.h"
#include "record_writer.h"
#include "trace_format.h"

namespace {

using namespace lastref;
using namespace lastref::trace;

constexpr uint32_t kMostStacks = 200'000;
constexpr uint32_t kHotStacks = 2'048;
constexpr uint32_t kFramesAdded = 5;
constexpr uint32_t kLogCount = 4;
constexpr uint32_t kEventChunk = 256 * 1024;
constexpr uint32_t kStackChunk = 64 * 1024;
constexpr uint64_t kStartTicks = 1000;

class Random {
public:
    // In [0, limit).
    uint32_t below(uint64_t limit) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return static_cast<uint32_t>((state_ >> 32) * limit >> 32);
    }

private:
    uint64_t state_ = 0x9e3779b97f4a7c15u;
};

class TraceWriter {
public:
    explicit TraceWriter(const char* path)
        : file_(::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        if (file_ < 0) fail("open");
        at_ = kHeaderSize;
    }

    void append(ChunkHeader& chunk, uint32_t size) {
        chunk.magic = kChunkMagic;
        chunk.size = size;
        chunk.order = order_++;
        write(at_, &chunk, size);
        at_ += size;
    }

    void finish(uint64_t ticks) {
        TraceHeader header{};
        std::memcpy(header.magic, kTraceMagic, sizeof(kTraceMagic));
        header.version = kTraceVersion;
        header.byte_order = kByteOrderMark;
        header.header_size = kHeaderSize;
        header.clock = Clock::kMonotonic;
        header.level = Level::kParanoid;
        header.pid = 42;
        header.depth = 128;
        header.start_ticks = header.start_monotonic_ns = kStartTicks;
        header.last_ticks = header.last_monotonic_ns = header.exit_ticks = ticks;
        header.exit_kind = ExitKind::kStatus;
        header.chunks_end = at_;
        std::strcpy(header.executable, "/bin/program");
        write(0, &header, sizeof(header));
        ::close(file_);
    }

private:
    [[noreturn]] static void fail(const char* what) {
        std::perror(what);
        std::exit(1);
    }
    void write(uint64_t offset, const void* from, size_t size) {
        const char* at = static_cast<const char*>(from);
        while (size != 0) {
            const ssize_t done = ::pwrite(file_, at, size, static_cast<off_t>(offset));
            if (done <= 0) fail("write");
            at += done;
            offset += static_cast<uint64_t>(done);
            size -= static_cast<size_t>(done);
        }
    }

    int file_;
    uint64_t at_;
    uint32_t order_ = 0;
};

// Every stack begins like the one before and differs in its innermost frames.
void write_stacks(TraceWriter& file, Random& random, uint32_t stacks) {
    std::vector<uint64_t> memory(kStackChunk / 8);
    auto& chunk = *reinterpret_cast<ChunkHeader*>(memory.data());
    auto* const payload = reinterpret_cast<uint8_t*>(&chunk + 1);
    uint8_t* const limit = payload + kStackChunk - sizeof(chunk) - 512;
    uint32_t depth = 0, id = kFirstStack;
    const uint32_t end = kFirstStack + stacks;
    while (id < end) {
        chunk = {};
        chunk.kind = ChunkKind::kStacks;
        chunk.base_address = id;
        uint8_t* p = payload;
        uint64_t word = 0;
        for (; id < end && p < limit; ++id) {
            const bool anew = depth == 0 || random.below(64) == 0;
            const uint32_t drop = anew ? 0 : std::min(depth - 1, random.below(2 * kFramesAdded));
            const int64_t base = anew ? int64_t{kStackComplete} - int64_t{id} : -1;
            const uint32_t count = anew ? 16 : kFramesAdded;
            depth = anew ? count : depth - drop + count;
            p = coding::put_svarint(p, base);
            p = coding::put_varint(p, drop);
            p = coding::put_varint(p, count);
            for (uint32_t i = 0; i < count; ++i) {
                const uint64_t next = (0x400000 + uint64_t{random.below(20'000)} * 24) * 2;
                p = coding::put_svarint(p, static_cast<int64_t>(next - word));
                word = next;
            }
        }
        chunk.committed = static_cast<uint32_t>(p - payload);
        file.append(chunk, kStackChunk);
    }
}

// One log with the chunk that it fills.
class EventLog {
public:
    EventLog(TraceWriter& file, uint32_t id) : file_(file), memory_(kEventChunk / 8) {
        log_.id = id;
    }

    template <Op op>
    void add(uint64_t ticks, const Fields& fields, uint32_t stack) {
        if (log_.cursor == nullptr || log_.cursor >= log_.limit) begin_chunk(ticks);
        put<op>(ticks, fields, stack);
    }

    void end_chunk() {
        if (log_.chunk != nullptr) file_.append(*log_.chunk, kEventChunk);
        log_.chunk = nullptr;
        log_.cursor = nullptr;
    }

private:
    void begin_chunk(uint64_t ticks) {
        end_chunk();
        log_.chunk = reinterpret_cast<ChunkHeader*>(memory_.data());
        *log_.chunk = {};
        log_.chunk->kind = ChunkKind::kEvents;
        log_.chunk->log = log_.id;
        log_.chunk->sequence = log_.sequence++;
        log_.chunk->thread = log_.id;
        log_.chunk->base_ticks = log_.last_ticks = ticks;
        log_.chunk->base_address = log_.last_address = 0x5555'0000'0000;
        log_.last_stack = 0;
        log_.cursor = log_.payload();
        log_.limit = reinterpret_cast<uint8_t*>(memory_.data()) + kEventChunk - kRecordMargin;
        Fields type;
        type.text = "Buffer";
        type.text_size = 6;
        put<Op::kString>(ticks, type, 0);
    }
    // A record left out would be a double free or a leak in the report.
    template <Op op>
    void put(uint64_t ticks, const Fields& fields, uint32_t stack) {
        if (write_record<op>(log_, ticks, fields, stack)) return;
        std::fputs("long_trace: a chunk has no room where it should\n", stderr);
        std::exit(1);
    }

    TraceWriter& file_;
    std::vector<uint64_t> memory_;
    Log log_{};
};

class Program {
public:
    Program(TraceWriter& file, Random& random, uint32_t live, uint32_t stacks)
        : random_(random), stacks_(stacks), live_(live), free_(live / 4 + 1) {
        for (uint32_t id = 1; id <= kLogCount; ++id) logs_.emplace_back(file, id);
        for (uint32_t i = 0; i < live_.size() + free_.size(); ++i) {
            (i < live_.size() ? live_[i] : free_[i - live_.size()]) = i;
        }
    }

    void run(uint64_t events) {
        for (const uint32_t block : live_) begin(block);
        while (written_ < events) {
            if (random_.below(8) == 0) log_ = random_.below(kLogCount);
            if (random_.below(16) == 0) {
                use_buffer();
            } else {
                replace_block();
            }
        }
        for (EventLog& log : logs_) log.end_chunk();
    }
    uint64_t now() const { return now_; }

private:
    uint32_t some_stack() {
        const bool hot = random_.below(16) != 0;
        return kFirstStack + random_.below(hot ? std::min(kHotStacks, stacks_) : stacks_);
    }

    template <Op op>
    void add(uint64_t address, uint64_t size = 0) {
        add_at<op>(address, size, some_stack());
    }

    template <Op op>
    void add_at(uint64_t address, uint64_t size, uint32_t stack) {
        Fields fields;
        fields.address = address;
        fields.size = size;
        now_ += 1 + random_.below(200);
        logs_[log_].add<op>(now_, fields, stack);
        ++written_;
    }

    void begin(uint32_t block) {
        const uint64_t address = 0x5555'0000'0000 + uint64_t{block} * 96;
        if (random_.below(8) == 0) {
            add<Op::kCalloc>(address, 64);
        } else {
            add<Op::kMalloc>(address, 8 + random_.below(88));
        }
    }

    void replace_block() {
        const uint32_t young = 4096;
        const auto all = static_cast<uint32_t>(live_.size());
        const uint32_t at =
            random_.below(4) != 0 ? random_.below(std::min(young, all)) : random_.below(all);
        add<Op::kFree>(0x5555'0000'0000 + uint64_t{live_[at]} * 96);
        std::swap(live_[at], free_[next_free_]);
        next_free_ = (next_free_ + 1) % free_.size();
        begin(live_[at]);
    }

    void use_buffer() {
        const uint64_t buffer = 0x7f00'0000'0000 + (next_buffer_++ % 4096) * 256;
        // Where a buffer was made decides where it goes, but for one of two ways.
        const uint32_t made = some_stack();
        const uint32_t way = kFirstStack + (made - kFirstStack + random_.below(2)) % stacks_;
        add_at<Op::kCreate>(buffer, 128, made);
        add_at<Op::kRetain>(buffer, 0, way);
        add_at<Op::kRelease>(buffer, 0, way);
        add_at<Op::kRelease>(buffer, 0, made);
    }

    Random& random_;
    const uint32_t stacks_;
    std::deque<EventLog> logs_;
    std::vector<uint32_t> live_, free_;  // numbers of blocks; live ones in no order
    size_t next_free_ = 0;
    uint64_t next_buffer_ = 0;
    uint32_t log_ = 0;
    uint64_t now_ = kStartTicks;
    uint64_t written_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    const auto number = [&](int at, uint64_t otherwise) {
        return count > at ? std::strtoull(arguments[at], nullptr, 10) : otherwise;
    };
    const uint64_t events = number(2, 0), live = number(3, 0), stacks = number(4, kMostStacks);
    if (count > 5 || live == 0 || live > 100'000'000 || events < live || stacks == 0 ||
        stacks > kMostStacks) {
        std::fprintf(stderr,
                     "usage: long_trace FILE EVENTS LIVE [STACKS] (1 to 100000000, <= EVENTS; "
                     "at most %u)\n",
                     kMostStacks);
        return 2;
    }
    Random random;
    TraceWriter file(arguments[1]);
    write_stacks(file, random, static_cast<uint32_t>(stacks));
    Program program(file, random, static_cast<uint32_t>(live), static_cast<uint32_t>(stacks));
    program.run(events);
    file.finish(program.now());
    return 0;
}
