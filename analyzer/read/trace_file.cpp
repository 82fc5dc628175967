#include "read/trace_file.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace lastref {
namespace {

using namespace trace;

// Nothing if the header can be used. `got` bytes of it were read.
std::unique_ptr<Error> reject(const TraceHeader& header, size_t got, const std::string& path) {
    const auto error = [&path](uint64_t offset, std::string reason, std::string advice) {
        return std::make_unique<Error>(Error{path, offset, std::move(reason), std::move(advice)});
    };
    if (got == 0) return error(0, "the file is empty", "was the program traced to its end?");
    if (got < sizeof(header.magic) ||
        std::memcmp(header.magic, kTraceMagic, sizeof(kTraceMagic)) != 0) {
        return error(0, "not a lastref trace", "give a file that `lastref run` wrote");
    }
    if (got >= offsetof(TraceHeader, header_size)) {
        if (header.byte_order == __builtin_bswap32(kByteOrderMark)) {
            return error(offsetof(TraceHeader, byte_order), "the trace has the other byte order",
                         "read it on a machine of the kind that wrote it");
        }
        if (header.version != kTraceVersion) {
            const std::string which = header.version > kTraceVersion ? "newer" : "older";
            return error(offsetof(TraceHeader, version),
                         "trace version " + std::to_string(header.version) +
                             ", this lastref reads version " + std::to_string(kTraceVersion),
                         "use the " + which + " lastref that wrote it");
        }
        if (header.byte_order != kByteOrderMark) {
            return error(offsetof(TraceHeader, byte_order), "the byte order mark is damaged",
                         "the file cannot be used");
        }
    }
    if (got < sizeof(header)) {
        return error(got, "the header is cut off",
                     "the file was not copied whole, or the program died at its start");
    }
    if (header.header_size != kHeaderSize) {
        return error(offsetof(TraceHeader, header_size),
                     "header size " + std::to_string(header.header_size) + " instead of " +
                         std::to_string(kHeaderSize),
                     "the file is damaged");
    }
    return nullptr;
}

std::string hexadecimal(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<uint8_t>(c) >> 4];
        text += digits[static_cast<uint8_t>(c) & 15];
    }
    return text;
}

}  // namespace

TraceFile::TraceFile(std::unique_ptr<ByteSource> bytes, std::string path)
    : path_(std::move(path)), bytes_(std::move(bytes)) {}

Result<std::unique_ptr<TraceFile>> TraceFile::read(std::unique_ptr<ByteSource> bytes,
                                                   const std::string& path, DamageList damage) {
    std::unique_ptr<TraceFile> trace(new TraceFile(std::move(bytes), path));
    trace->damage_ = std::move(damage);
    const size_t got = trace->bytes_->read(0, &trace->header_, sizeof(TraceHeader));
    if (const auto error = reject(trace->header_, got, path)) return *error;
    trace->clock_ = TraceClock(trace->header_);
    trace->index_ = index_chunks(*trace->bytes_, trace->header_, trace->damage_);
    trace->stacks_ =
        std::make_unique<StackNodes>(*trace->bytes_, trace->index_.stacks, trace->damage_);
    trace->read_meta();
    if (trace->header_.names_size != 0) {
        trace->names_ = read_names(*trace->bytes_, trace->header_.names_offset,
                                   trace->header_.names_size, trace->damage_);
    }
    return trace;
}

// Modules and threads are needed before the first event, so the meta log is read twice: here,
// and again in its place among the events. Its damage is counted then, not here.
void TraceFile::read_meta() {
    if (index_.logs.empty() || index_.logs.front().id != kMetaLog) return;
    DamageList counted_later;
    LogCursor meta(*bytes_, index_.logs.front(), *stacks_, strings_, counted_later);
    std::map<int64_t, size_t> module_at;  // by the trace's module index
    std::unordered_map<uint32_t, size_t> thread_at;
    Event event;
    while (meta.decode({&event, 1}) != 0) {
        if (event.op == Op::kLoad) {
            module_at[event.value] = modules_.size();
            modules_.push_back({strings_[event.string], hexadecimal(meta.second_text()),
                                event.address, event.size, event.other, event.detail, UINT32_MAX});
        } else if (event.op == Op::kUnload) {
            const auto found = module_at.find(event.value);
            if (found != module_at.end()) modules_[found->second].end_epoch = event.detail;
        } else if (event.op == Op::kThreadInfo) {
            const auto [known, fresh] = thread_at.try_emplace(event.detail, threads_.size());
            if (fresh || event.value != kThreadEnded) {
                known->second = threads_.size();
                threads_.push_back({event.detail, event.value, strings_[event.string]});
            } else {
                threads_[known->second].name = strings_[event.string];
            }
        } else if (event.op == Op::kHook &&
                   event.detail == static_cast<uint32_t>(HookFact::kLibcData)) {
            const std::string_view words = meta.second_text();
            const size_t known = libc_words_.size();
            libc_words_.resize(known + words.size() / sizeof(uint64_t));
            std::memcpy(libc_words_.data() + known, words.data(),
                        (libc_words_.size() - known) * sizeof(uint64_t));
        } else if (event.op == Op::kHook) {
            hooks_.push_back({static_cast<HookFact>(event.detail), event.value, event.string,
                              std::string(meta.second_text())});
        }
    }
}

LogCursor TraceFile::cursor(const Log& log) {
    return LogCursor(*bytes_, log, *stacks_, strings_, damage_);
}

std::string TraceFile::executable() const {
    return {header_.executable, ::strnlen(header_.executable, sizeof(header_.executable))};
}

std::vector<std::string> TraceFile::command() const {
    std::vector<std::string> arguments;
    const char* at = header_.command;
    const char* const end = at + std::min<size_t>(header_.command_size, sizeof(header_.command));
    while (at < end) {
        const size_t length = ::strnlen(at, static_cast<size_t>(end - at));
        arguments.emplace_back(at, length);
        at += length + 1;
    }
    return arguments;
}

uint64_t TraceFile::lost() const {
    uint64_t sum = 0;
    for (const uint64_t count : header_.lost) {
        sum = count > std::numeric_limits<uint64_t>::max() - sum
                  ? std::numeric_limits<uint64_t>::max()
                  : sum + count;
    }
    return sum;
}

bool is_whole(const TraceFile& trace) {
    return trace.lost() == 0 && trace.damage().empty() &&
           (trace.header().notes & kNoteStopped) == 0;
}

bool begins_with_process(const TraceFile& trace) {
    return (trace.header().notes & (kNoteInherited | kNoteLateStart)) == 0 &&
           trace.header().cut_chunks == 0;
}

}  // namespace lastref
