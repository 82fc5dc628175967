#include "command/symbolize.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "analyze/elf_frames.h"
#include "command/exit_status.h"
#include "command/output_file.h"
#include "command/say.h"
#include "pack/open_trace.h"
#include "pack/pack_writer.h"
#include "pack/packed_source.h"
#include "read/exit_state.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

using trace::TraceHeader;

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

// A trace with other names, the source of a new packed file.
class NamedSource final : public ByteSource {
public:
    NamedSource(const ByteSource& trace, uint64_t names_offset, std::string names)
        : trace_(trace), names_offset_(names_offset), names_(std::move(names)) {}

    uint64_t size() const override { return names_offset_ + names_.size(); }
    size_t read(uint64_t offset, void* to, size_t length) const override {
        if (offset >= size()) return 0;
        length = std::min<uint64_t>(length, size() - offset);
        std::memset(to, 0, length);
        if (offset < names_offset_) {
            trace_.read(offset, to, std::min<uint64_t>(length, names_offset_ - offset));
        }
        copy_part(offsetof(TraceHeader, names_offset), place(), offset, to, length);
        copy_part(names_offset_, names_, offset, to, length);
        return length;
    }

    // The header's two fields.
    std::string place() const {
        const uint64_t fields[] = {names_offset_, names_.size()};
        return {reinterpret_cast<const char*>(fields), sizeof(fields)};
    }

private:
    static void copy_part(uint64_t at, std::string_view part, uint64_t offset, void* to,
                          size_t length) {
        const uint64_t begin = std::max(at, offset);
        const uint64_t end = std::min(at + part.size(), offset + length);
        if (begin >= end) return;
        std::memcpy(static_cast<char*>(to) + (begin - offset), part.data() + (begin - at),
                    end - begin);
    }

    const ByteSource& trace_;
    const uint64_t names_offset_;
    const std::string names_;
};

std::string not_written(const std::string& path) {
    return fmt::format("{}: can't be written: {}", path, strerror(errno));
}

// The header points to the names once they are there, in one write: a crash or a full disk leaves
// the trace with the names that it had. Returns what went wrong.
std::string write_names(const std::string& path, uint64_t offset, const std::string& names,
                        const std::string& place) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return not_written(path);
    std::string failure;
    if (!write_at(descriptor, offset, names) || fdatasync(descriptor) != 0 ||
        !write_at(descriptor, offsetof(TraceHeader, names_offset), place)) {
        failure = not_written(path);
    }
    if (close(descriptor) != 0 && failure.empty()) failure = not_written(path);
    return failure;
}

// A packed trace is packed again into a new file beside it, which then replaces it as a whole.
std::string pack_again(const std::string& path, const NamedSource& named) {
    std::error_code error;
    const std::string file = std::filesystem::canonical(path, error).string();
    struct stat status;
    if (error || stat(file.c_str(), &status) != 0) return not_written(path);
    OutputFile output(file, status.st_mode & 0777);
    if (output.file().empty()) return output.finish();
    const Result<uint64_t> size =
        packed::pack_trace(named, path, output.descriptor(), path, [](double) {});
    return size ? output.finish() : size.error().message();
}

// Where the names go: before the old ones if they fit there, else behind them.
uint64_t place_for(const TraceFile& trace, uint64_t size) {
    const TraceHeader& header = trace.header();
    const auto round_up = [](uint64_t at) {
        return (at + trace::kChunkUnit - 1) / trace::kChunkUnit * trace::kChunkUnit;
    };
    const uint64_t end = std::max<uint64_t>(header.chunks_end, trace::kHeaderSize);
    const uint64_t first = round_up(std::min(end, trace.size()));
    if (trace.is_packed() || header.names_size == 0 || first + size <= header.names_offset)
        return first;
    return round_up(std::min(trace.size(), header.names_offset + header.names_size));
}

// Damage to a packed file can't be recorded in a newly packed one.
std::string packing_damage(const std::string& path) {
    Result<std::unique_ptr<ByteSource>> stored = ByteSource::open(path);
    DamageList damage;
    if (!stored || !packed::PackedSource::open(std::move(*stored), path, damage) ||
        damage.empty()) {
        return {};
    }
    const auto& first = damage.kept().front();
    return fmt::format("{}: damaged at offset {}: {}: it takes no names", path, first.offset,
                       first.reason);
}

}  // namespace

int symbolize_command(const SymbolizeOptions& options) {
    Result<std::unique_ptr<TraceFile>> opened = open_trace(options.trace);
    if (!opened) return fail(kUnreadable, opened.error().message());
    TraceFile& trace = **opened;
    if (trace.is_packed()) {
        const std::string damage = packing_damage(options.trace);
        if (!damage.empty()) return fail(kUnreadable, damage);
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

    const uint64_t offset = place_for(trace, names.size());
    const NamedSource named_trace(trace.bytes(), offset, names);
    const std::string failure =
        trace.is_packed() ? pack_again(options.trace, named_trace)
                          : write_names(options.trace, offset, names, named_trace.place());
    if (!failure.empty()) return fail(kUsage, failure);
    say("lastref: {}: {} of {} code addresses named\n", options.trace, named, found.size());
    return 0;
}

}  // namespace lastref
