#include "support/trace_builder.h"
#include "pack/open_trace.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>

namespace lastref::testing {

using namespace trace;

namespace {

void put_varint(std::vector<uint8_t>& bytes, uint64_t value) {
    while (value >= 0x80) {
        bytes.push_back(static_cast<uint8_t>(value | 0x80));
        value >>= 7;
    }
    bytes.push_back(static_cast<uint8_t>(value));
}

void put_svarint(std::vector<uint8_t>& bytes, int64_t value) {
    put_varint(bytes, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

class Encoder {
public:
    Encoder(uint64_t ticks, uint64_t address, uint32_t thread)
        : ticks_(ticks), address_(address), thread_(thread) {}

    void add(const Record& record) {
        const Event& event = record.event;
        if (event.op != Op::kThreadInfo && event.op != Op::kThread && event.thread != thread_) {
            bytes.push_back(static_cast<uint8_t>(Op::kThread));
            varint(event.thread);
            thread_ = event.thread;
        }
        const uint16_t has = kFields[static_cast<uint8_t>(event.op)];
        uint32_t string = 0;
        if (has & fString) string = define(record.string);

        uint8_t flags = 0;
        const bool unaligned = ((has & fAddress) && (event.address - address_) % 16 != 0) ||
                               ((has & fOther) && (event.other - event.address) % 16 != 0);
        if (unaligned) flags |= kByteAddress;
        if (has & fStack) {
            if (event.stack == 0) {
                flags |= kNoStack;
            } else if (event.stack == stack_) {
                flags |= kSameStack;
            }
        }
        bytes.push_back(static_cast<uint8_t>(event.op) | flags);
        if (has & fTime) {
            varint(event.ticks - ticks_);
            ticks_ = event.ticks;
        }
        if (has & fAddress) take_address(event.address, unaligned);
        if (has & fOther) take_address(event.other, unaligned);
        if (has & fSize) varint(event.size);
        if (has & fOtherSize) varint(event.other_size);
        if (has & fValue) svarint(event.value);
        if (has & fDetail) varint(event.detail);
        if (has & fString) varint(string);
        if (has & fText) text(record.string);
        if (has & fText2) text(record.text2);
        if ((has & fStack) && !(flags & (kNoStack | kSameStack))) {
            svarint(static_cast<int64_t>(event.stack) - static_cast<int64_t>(stack_));
            stack_ = event.stack;
        }
    }

    std::vector<uint8_t> bytes;

private:
    void varint(uint64_t value) { put_varint(bytes, value); }
    void svarint(int64_t value) { put_svarint(bytes, value); }
    void take_address(uint64_t address, bool unaligned) {
        const auto delta = static_cast<int64_t>(address - address_);
        svarint(unaligned ? delta : delta / 16);
        address_ = address;
    }
    void text(const std::string& text) {
        varint(text.size());
        bytes.insert(bytes.end(), text.begin(), text.end());
    }
    uint32_t define(const std::string& string) {
        const auto [at, fresh] =
            strings_.try_emplace(string, static_cast<uint32_t>(strings_.size()));
        if (fresh) {
            bytes.push_back(static_cast<uint8_t>(Op::kString));
            text(string);
        }
        return at->second;
    }

    uint64_t ticks_;
    uint64_t address_;
    uint32_t stack_ = 0;
    uint32_t thread_;
    std::map<std::string, uint32_t> strings_;
};

void append_chunk(std::vector<uint8_t>& file, ChunkHeader header,
                  const std::vector<uint8_t>& payload, uint32_t order) {
    const size_t size =
        (sizeof(header) + payload.size() + kChunkUnit - 1) / kChunkUnit * kChunkUnit;
    header.magic = kChunkMagic;
    header.size = static_cast<uint32_t>(size);
    header.committed = static_cast<uint32_t>(payload.size());
    header.order = order;
    const size_t at = file.size();
    file.resize(at + size);
    std::memcpy(file.data() + at, &header, sizeof(header));
    if (!payload.empty()) {
        std::memcpy(file.data() + at + sizeof(header), payload.data(), payload.size());
    }
}

}  // namespace

TraceBuilder::TraceBuilder() {
    std::memcpy(header.magic, kTraceMagic, sizeof(kTraceMagic));
    header.version = kTraceVersion;
    header.byte_order = kByteOrderMark;
    header.header_size = kHeaderSize;
    header.clock = Clock::kMonotonic;
    header.level = Level::kParanoid;
    header.pid = 42;
    header.depth = 128;
    header.start_ticks = header.start_monotonic_ns = 1000;
    header.start_realtime_ns = 1'700'000'000'000'000'000u;
    header.exit_kind = ExitKind::kStatus;
    std::strcpy(header.executable, "/bin/program");
    std::memcpy(header.command, "program\0-x", 11);
    header.command_size = 11;
}

uint32_t TraceBuilder::stack(const std::vector<uint64_t>& pcs, uint32_t epoch) {
    if (pcs.empty()) return kStackComplete;
    const auto [at, fresh] =
        stack_ids_.try_emplace({epoch, pcs}, kFirstStack + static_cast<uint32_t>(stacks_.size()));
    if (fresh) stacks_.push_back({pcs, epoch});
    return at->second;
}

// Each stack begins like the one before it where they share outer frames.
std::vector<uint8_t> TraceBuilder::encode_stacks() const {
    std::vector<uint8_t> payload;
    uint64_t last_word = 0;
    uint32_t epoch = 0;
    for (size_t i = 0; i < stacks_.size(); i++) {
        const StackFrames& stack = stacks_[i];
        const uint32_t id = kFirstStack + static_cast<uint32_t>(i);
        if (stack.epoch != epoch) {
            epoch = stack.epoch;
            for (const uint64_t number : {uint64_t{0}, uint64_t{epoch}, uint64_t{0}}) {
                put_varint(payload, number);
            }
        }
        size_t shared = 0;
        if (i > 0 && stacks_[i - 1].epoch == epoch) {
            const std::vector<uint64_t>& outer = stacks_[i - 1].pcs;
            while (shared < outer.size() && shared + 1 < stack.pcs.size() &&
                   outer.rbegin()[static_cast<std::ptrdiff_t>(shared)] ==
                       stack.pcs.rbegin()[static_cast<std::ptrdiff_t>(shared)]) {
                shared++;
            }
        }
        const uint32_t base = shared != 0 ? id - 1 : uint32_t{kStackComplete};
        put_svarint(payload, static_cast<int64_t>(base) - static_cast<int64_t>(id));
        put_varint(payload, shared != 0 ? stacks_[i - 1].pcs.size() - shared : 0);
        put_varint(payload, stack.pcs.size() - shared);
        for (size_t frame = stack.pcs.size() - shared; frame-- != 0;) {
            const uint64_t pc = stack.pcs[frame];
            const uint64_t word = (pc & ~kExactPc) * 2 + ((pc & kExactPc) != 0 ? 1 : 0);
            put_svarint(payload, static_cast<int64_t>(word - last_word));
            last_word = word;
        }
    }
    return payload;
}

TraceBuilder& TraceBuilder::add(uint32_t to, const Record& record) {
    LogChunks& chunks = logs_[to];
    if (chunks.chunks.empty()) new_chunk(to);
    chunks.chunks.back().records.push_back(record);
    return *this;
}

TraceBuilder& TraceBuilder::new_chunk(uint32_t to) {
    LogChunks& chunks = logs_[to];
    chunks.chunks.push_back({chunks.next_sequence++, {}});
    return *this;
}

TraceBuilder& TraceBuilder::skip_sequence(uint32_t to) {
    ++logs_[to].next_sequence;
    return *this;
}

Record TraceBuilder::at_now(Op op) {
    Record record;
    record.event.op = op;
    record.event.ticks = ++now;
    record.event.thread = log;
    return record;
}

TraceBuilder& TraceBuilder::malloc(uint64_t address, uint64_t size, uint32_t stack) {
    Record record = at_now(Op::kMalloc);
    record.event.address = address;
    record.event.size = size;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::free(uint64_t address, uint32_t stack) {
    Record record = at_now(Op::kFree);
    record.event.address = address;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::realloc_begin(uint64_t address) {
    Record record = at_now(Op::kReallocBegin);
    record.event.address = address;
    return add(log, record);
}

TraceBuilder& TraceBuilder::realloc_end(uint64_t from, uint64_t to, uint64_t size, uint32_t stack) {
    Record record = at_now(Op::kRealloc);
    record.event.address = to;
    record.event.other = from;
    record.event.size = size;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::failed(FailedCall call, uint64_t size, uint32_t stack) {
    Record record = at_now(Op::kFailed);
    record.event.size = size;
    record.event.detail = static_cast<uint32_t>(call);
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::mmap(uint64_t address, uint64_t size, uint32_t stack) {
    Record record = at_now(Op::kMmap);
    record.event.address = address;
    record.event.size = size;
    record.event.value = -1;
    record.event.detail = 3 | 0x22 << 4;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::munmap(uint64_t address, uint64_t size, uint32_t stack) {
    Record record = at_now(Op::kMunmap);
    record.event.address = address;
    record.event.size = size;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::munmap_failed(uint64_t address, uint64_t size) {
    Record record = at_now(Op::kMunmapFailed);
    record.event.address = address;
    record.event.size = size;
    return add(log, record);
}

TraceBuilder& TraceBuilder::mremap_begin(uint64_t address, uint64_t size) {
    Record record = at_now(Op::kMremapBegin);
    record.event.address = address;
    record.event.size = size;
    return add(log, record);
}

TraceBuilder& TraceBuilder::mremap_end(uint64_t from, uint64_t old_size, uint64_t to, uint64_t size,
                                       uint32_t stack) {
    Record record = at_now(Op::kMremap);
    record.event.address = to;
    record.event.other = from;
    record.event.size = size;
    record.event.other_size = old_size;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::create(uint64_t buffer, uint64_t size, const std::string& type,
                                   uint32_t stack) {
    Record record = at_now(Op::kCreate);
    record.event.address = buffer;
    record.event.size = size;
    record.event.stack = stack;
    record.string = type;
    return add(log, record);
}

TraceBuilder& TraceBuilder::retain(uint64_t buffer, uint32_t stack) {
    Record record = at_now(Op::kRetain);
    record.event.address = buffer;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::release(uint64_t buffer, uint32_t stack) {
    Record record = at_now(Op::kRelease);
    record.event.address = buffer;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::touch(uint64_t buffer, const std::string& hint, uint32_t stack) {
    Record record = at_now(Op::kTouch);
    record.event.address = buffer;
    record.event.stack = stack;
    record.string = hint;
    return add(log, record);
}

TraceBuilder& TraceBuilder::count(uint64_t buffer, int64_t value, uint32_t stack) {
    Record record = at_now(Op::kCount);
    record.event.address = buffer;
    record.event.value = value;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::counted(uint64_t buffer, int64_t value, const std::string& type,
                                    uint32_t flags) {
    Record record = at_now(Op::kCounted);
    record.event.address = buffer;
    record.event.value = value;
    record.event.detail = flags;
    record.string = type;
    return add(log, record);
}

TraceBuilder& TraceBuilder::move(uint64_t from, uint64_t to, uint32_t stack) {
    Record record = at_now(Op::kMove);
    record.event.address = from;
    record.event.other = to;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::destroy(uint64_t buffer, uint32_t stack) {
    Record record = at_now(Op::kDestroy);
    record.event.address = buffer;
    record.event.stack = stack;
    return add(log, record);
}

TraceBuilder& TraceBuilder::load(int64_t module, uint64_t address, uint64_t size,
                                 const std::string& path, const std::string& build_id,
                                 uint32_t epoch) {
    Record record = at_now(Op::kLoad);
    record.event.thread = 0;
    record.event.address = record.event.other = address;
    record.event.size = size;
    record.event.value = module;
    record.event.detail = epoch;
    record.string = path;
    record.text2 = build_id;
    return add(kMetaLog, record);
}

TraceBuilder& TraceBuilder::unload(int64_t module, uint32_t epoch) {
    Record record = at_now(Op::kUnload);
    record.event.thread = 0;
    record.event.value = module;
    record.event.detail = epoch;
    return add(kMetaLog, record);
}

TraceBuilder& TraceBuilder::hook(HookFact fact, const std::string& subject, int64_t value,
                                 const std::string& more) {
    Record record = at_now(Op::kHook);
    record.event.thread = 0;
    record.event.value = value;
    record.event.detail = static_cast<uint32_t>(fact);
    record.string = subject;
    record.text2 = more;
    return add(kMetaLog, record);
}

TraceBuilder& TraceBuilder::libc_data(const std::vector<uint64_t>& words) {
    return hook(HookFact::kLibcData, "libc", static_cast<int64_t>(words.size()),
                {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0])});
}

TraceBuilder& TraceBuilder::thread_info(uint32_t ordinal, int64_t kernel_id,
                                        const std::string& name) {
    Record record = at_now(Op::kThreadInfo);
    record.event.thread = 0;
    record.event.value = kernel_id;
    record.event.detail = ordinal;
    record.string = name;
    return add(kMetaLog, record);
}

std::vector<uint8_t> TraceBuilder::encode(const ChunkRecords& chunk, uint64_t base_ticks,
                                          uint64_t base_address, uint32_t thread) {
    Encoder encoder(base_ticks, base_address, thread);
    for (const Record& record : chunk.records) encoder.add(record);
    return encoder.bytes;
}

std::vector<uint8_t> TraceBuilder::bytes() const {
    std::vector<uint8_t> file(kHeaderSize);
    uint32_t order = 0;
    if (!stacks_.empty()) {
        ChunkHeader chunk{};
        chunk.kind = ChunkKind::kStacks;
        chunk.base_address = kFirstStack;
        append_chunk(file, chunk, encode_stacks(), order++);
    }
    for (const auto& [id, chunks] : logs_) {
        for (const ChunkRecords& records : chunks.chunks) {
            ChunkHeader chunk{};
            chunk.kind = id == kMetaLog ? ChunkKind::kMeta : ChunkKind::kEvents;
            chunk.log = id;
            chunk.sequence = records.sequence;
            const bool empty = records.records.empty();
            chunk.thread = empty ? 0 : records.records.front().event.thread;
            chunk.base_ticks = empty ? header.start_ticks : records.records.front().event.ticks;
            chunk.base_address = 0x5000'0000'0000;
            append_chunk(file, chunk,
                         encode(records, chunk.base_ticks, chunk.base_address, chunk.thread),
                         order++);
        }
    }
    TraceHeader finished = header;
    if (finished.chunks_end == 0) finished.chunks_end = file.size();
    if (finished.last_ticks == 0) finished.last_ticks = finished.last_monotonic_ns = now;
    std::memcpy(file.data(), &finished, sizeof(finished));
    return file;
}

std::unique_ptr<TraceFile> TraceBuilder::open() const {
    auto opened = open_trace(bytes(), "memory");
    if (!opened) {
        std::fprintf(stderr, "TraceBuilder: %s\n", opened.error().message().c_str());
        std::abort();
    }
    return std::move(*opened);
}

}  // namespace lastref::testing
