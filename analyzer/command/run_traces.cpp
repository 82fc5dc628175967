#include "command/run_traces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "read/process_stat.h"

namespace lastref {
namespace {

// Reads the header of a trace; nothing for any other file. Runs over whatever else the directory
// holds, so nothing is opened that could block or act.
std::optional<trace::TraceHeader> read_header(const std::string& path) {
    struct stat status;
    if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size < static_cast<off_t>(trace::kHeaderSize))
        return std::nullopt;
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return std::nullopt;
    trace::TraceHeader header;
    ssize_t got = pread(fd, &header, sizeof header, 0);
    close(fd);
    if (got != sizeof header || memcmp(header.magic, trace::kTraceMagic, sizeof header.magic) != 0)
        return std::nullopt;
    if (header.version != trace::kTraceVersion) return std::nullopt;
    return header;
}

bool is_process(pid_t pid, uint64_t start) {
    const std::optional<ProcessStat> stat = process_stat(pid);
    return stat && stat->start == start;
}

template <size_t n>
std::string text_of(const char (&field)[n]) {
    return std::string(field, strnlen(field, n));
}

RunTrace describe(const std::string& path, const trace::TraceHeader& header) {
    RunTrace trace;
    trace.path = path;
    std::copy(std::begin(header.run_id), std::end(header.run_id), trace.run_id.begin());
    trace.pid = header.pid;
    trace.process_start = header.process_start;
    trace.program = text_of(header.executable);
    if (header.exit_kind == trace::ExitKind::kExec) trace.executed = text_of(header.executed);
    trace.children = header.children;
    trace.borrowers_ended = header.borrowers_ended;
    trace.confined_children = header.confined_children;
    trace.said = text_of(header.said);
    trace.said_aloud = header.said_aloud != 0;
    trace.started_ns = header.start_monotonic_ns;
    trace.bytes = header.chunks_end;
    trace.exit_kind = header.exit_kind;
    const bool is_known = header.process_start != 0;
    trace.is_alive = !is_known || is_process(header.pid, header.process_start);
    trace.is_running = header.exit_kind == trace::ExitKind::kNone && is_known && trace.is_alive;
    std::copy(std::begin(header.lost), std::end(header.lost), trace.lost.begin());
    return trace;
}

bool write_end(const std::string& path, trace::ExitKind kind, int32_t value) {
    // Both fields in one write: a reader never sees half of it.
    struct {
        trace::ExitKind kind;
        int32_t value;
    } end = {kind, value};
    static_assert(offsetof(trace::TraceHeader, exit_value) ==
                  offsetof(trace::TraceHeader, exit_kind) + sizeof end.kind);
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    bool is_written =
        pwrite(fd, &end, sizeof end, offsetof(trace::TraceHeader, exit_kind)) == sizeof end;
    close(fd);
    return is_written;
}

}  // namespace

std::optional<RunTrace> read_run_trace(const std::string& path) {
    const auto header = read_header(path);
    if (!header) return std::nullopt;
    return describe(path, *header);
}

std::vector<RunTrace> find_run_traces(const std::string& directory, const RunId& run_id) {
    std::vector<RunTrace> traces;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        std::string path = entry->path().string();
        auto header = read_header(path);
        if (header && memcmp(header->run_id, run_id.data(), run_id.size()) == 0)
            traces.push_back(describe(path, *header));
    }
    std::sort(traces.begin(), traces.end(), [](const RunTrace& a, const RunTrace& b) {
        return a.started_ns != b.started_ns ? a.started_ns < b.started_ns : a.path < b.path;
    });
    return traces;
}

std::string common_prefix(const std::vector<RunTrace>& traces) {
    std::string prefix = traces.front().path;
    for (const RunTrace& trace : traces) {
        auto differ =
            std::mismatch(prefix.begin(), prefix.end(), trace.path.begin(), trace.path.end());
        prefix.erase(differ.first, prefix.end());
    }
    size_t slash = prefix.rfind('/');
    if (slash == std::string::npos || slash + 1 == prefix.size()) return {};
    size_t matching = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(prefix.substr(0, slash + 1), error), end;
         !error && entry != end; entry.increment(error))
        matching += entry->path().string().starts_with(prefix);
    return !error && matching == traces.size() ? prefix : std::string();
}

void record_end(std::vector<RunTrace>& traces, const ChildEnd& end) {
    auto newest = std::find_if(traces.rbegin(), traces.rend(),
                               [&](const RunTrace& trace) { return trace.pid == end.pid; });
    if (newest == traces.rend()) return;
    bool is_unknown = newest->exit_kind == trace::ExitKind::kNone;
    // A signal may hit a process that has already said that it exits.
    bool is_overtaken = end.signal != 0 && newest->exit_kind == trace::ExitKind::kStatus;
    if (!is_unknown && !is_overtaken) return;
    trace::ExitKind kind = end.signal ? trace::ExitKind::kSignal : trace::ExitKind::kStatus;
    if (!write_end(newest->path, kind, end.signal ? end.signal : end.status)) return;
    newest->exit_kind = kind;
    newest->is_running = false;
}

}  // namespace lastref
