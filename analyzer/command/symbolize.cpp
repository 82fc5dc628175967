#include "command/symbolize.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "analyze/elf_frames.h"
#include "command/exit_status.h"
#include "read/exit_state.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

bool write_at(int descriptor, uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written =
            pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        offset += static_cast<uint64_t>(written);
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

bool write_number(int descriptor, size_t offset, uint64_t value) {
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    return write_at(descriptor, offset, {bytes, sizeof(bytes)});
}

// The header speaks of no names while they are written: a crash leaves a trace without names.
bool write_names(int descriptor, uint64_t offset, const std::string& names) {
    using trace::TraceHeader;
    return write_number(descriptor, offsetof(TraceHeader, names_size), 0) &&
           fdatasync(descriptor) == 0 && write_at(descriptor, offset, names) &&
           write_number(descriptor, offsetof(TraceHeader, names_offset), offset) &&
           fdatasync(descriptor) == 0 &&
           write_number(descriptor, offsetof(TraceHeader, names_size), names.size());
}

}  // namespace

int symbolize_command(const SymbolizeOptions& options) {
    Result<std::unique_ptr<TraceFile>> opened = TraceFile::open(options.trace);
    if (!opened) return fail(kUnreadable, opened.error().message());
    TraceFile& trace = **opened;
    if (trace.is_packed()) {
        return fail(kUsage, options.trace + ": is packed: unpack it, symbolize, pack again");
    }
    if (exit_state(trace.header()).text == "running") {
        return fail(kUsage, fmt::format("{}: process {} still writes it", options.trace,
                                        trace.header().pid));
    }
    ElfFrames frames(trace, options.symbols);
    for (const StackNode& node : trace.stacks().nodes()) frames.frames(node.pc, node.epoch);
    const TraceNames found = frames.names();
    size_t named = 0;
    for (const auto& [place, names] : found) named += !names.empty();
    const std::string names = encode_names(found);

    const uint64_t unit = trace::kChunkUnit;
    const uint64_t end = std::max<uint64_t>(trace.header().chunks_end, trace::kHeaderSize);
    const uint64_t offset = (std::min(end, trace.size()) + unit - 1) / unit * unit;
    const int descriptor = open(options.trace.c_str(), O_WRONLY | O_CLOEXEC);
    const bool written = descriptor >= 0 && write_names(descriptor, offset, names);
    const int error = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && written) {
        return fail(kUsage,
                    fmt::format("{}: can't be written: {}", options.trace, strerror(errno)));
    }
    if (!written) {
        return fail(kUsage,
                    fmt::format("{}: can't be written: {}", options.trace, strerror(error)));
    }
    fmt::print(stderr, "lastref: {}: {} of {} code addresses named\n", options.trace, named,
               found.size());
    return 0;
}

}  // namespace lastref
