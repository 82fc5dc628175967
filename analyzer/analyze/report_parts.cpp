#include "analyze/report_parts.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "analyze/analysis.h"
#include "analyze/elf_frames.h"
#include "analyze/merge_report.h"
#include "pack/open_trace.h"
#include "read/batch_reader.h"
#include "read/trace_file.h"

namespace lastref {
namespace {

// Each thread holds what is live in its trace: more threads would need much memory.
constexpr size_t kMostThreads = 8;
constexpr auto kProgressPause = std::chrono::milliseconds(100);

int64_t nanoseconds(const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

ReportParts::FileState ReportParts::FileState::of(const std::string& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
            nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

ReportParts::ReportParts(Options options, std::shared_ptr<ElfFiles> files)
    : options_(std::move(options)), files_(std::move(files)) {}

ReportParts::~ReportParts() = default;

ReportParts::Part* ReportParts::claim(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Part>& part = parts_[path];
    if (part) return nullptr;
    part = std::make_unique<Part>();
    return part.get();
}

void ReportParts::make(const std::string& path, Part& part, const Progress& progress) {
    part.file = FileState::of(path);
    auto made = std::make_unique<Result<Report>>(Report{});
    Result<std::unique_ptr<TraceFile>> opened = open_trace(path);
    if (opened) {
        TraceFile& trace = **opened;
        // How many events a file holds is not known before; eight bytes each is near enough.
        EventProgress events_done;
        if (progress) events_done = [&](uint64_t events) { progress(events * 8); };
        Report& report = **made;
        std::unique_ptr<UsageBuilder> usage;
        if (options_.usage) usage = std::make_unique<UsageBuilder>(report.usage.emplace());
        ElfFrames frames(trace, files_);
        TraceFollower* const follower = usage != nullptr ? usage.get() : options_.follower;
        analyze_trace(trace, frames, events_done, report, follower);
    } else {
        *made = opened.error();
        if (options_.unreadable == nullptr && !part.is_early) failed_ = true;
    }
    const std::lock_guard lock(mutex_);
    part.report = std::move(made);
    made_.notify_all();
}

void ReportParts::prepare(const std::string& path) {
    Part* const part = claim(path);
    if (part == nullptr) return;
    part->is_early = true;
    make(path, *part);
}

bool ReportParts::is_over() const {
    return failed_ || (options_.follower != nullptr && options_.follower->stopped());
}

// In order: where one can't be read, all before it have been begun.
void ReportParts::make_all(std::span<const std::string> paths, bool is_caller) {
    for (const std::string& path : paths) {
        if (is_over()) return;
        Part* const part = claim(path);
        if (part == nullptr) continue;
        const uint64_t size = FileState::of(path).size;
        uint64_t told = 0;
        const auto progress = [&](uint64_t bytes) {
            const uint64_t done = std::min(bytes, size);
            bytes_done_ += done - told;
            told = done;
            if (is_caller) show_progress();
        };
        make(path, *part, options_.progress ? Progress(progress) : Progress());
        progress(size);
    }
}

void ReportParts::show_progress() const {
    if (!options_.progress || bytes_ == 0) return;
    options_.progress(
        std::min(1.0, static_cast<double>(bytes_done_) / static_cast<double>(bytes_)));
}

void ReportParts::wait_for_all(std::span<const std::string> paths) {
    std::unique_lock lock(mutex_);
    for (const std::string& path : paths) {
        const auto found = parts_.find(path);
        if (found == parts_.end()) continue;  // not begun, see is_over()
        while (!made_.wait_for(lock, kProgressPause,
                               [&] { return found->second->report != nullptr; })) {
            show_progress();
        }
    }
}

Result<Report> ReportParts::merged(std::span<const std::string> paths) {
    Report report;
    std::unique_ptr<UsageBuilder> usage;
    if (options_.usage) usage = std::make_unique<UsageBuilder>(report.usage.emplace());
    for (const std::string& path : paths) {
        const auto found = parts_.find(path);
        if (found == parts_.end()) break;  // the follower wanted no more
        Part& part = *found->second;
        const bool is_stale = part.is_early && part.file != FileState::of(path);
        if (is_stale || !part.report) make(path, part);  // taken already: named twice
        Result<Report>& made = *part.report;
        if (made) {
            merge_report(report, std::move(*made), usage.get());
        } else if (options_.unreadable != nullptr) {
            options_.unreadable->push_back(made.error());
        } else {
            return made.error();
        }
        part.report.reset();
    }
    complete_report(report);
    return report;
}

Result<Report> ReportParts::report(std::span<const std::string> paths) {
    for (const std::string& path : paths) bytes_ += FileState::of(path).size;
    std::vector<std::thread> others;
    const size_t most = options_.follower != nullptr ? 1 : kMostThreads;
    const size_t threads = std::min({paths.size(), size_t{usable_cores()}, most});
    for (size_t i = 1; i < threads; ++i) others.emplace_back([&] { make_all(paths, false); });
    make_all(paths, true);
    wait_for_all(paths);
    for (std::thread& other : others) other.join();
    return merged(paths);
}

}  // namespace lastref
