#include "command/ended_traces.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

namespace lastref {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(50);
constexpr int kPauseShare = 10;  // and this many times as long as a look took
constexpr int kNiceness = 10;
// File times advance in steps of a clock tick. Who compares them later must see any change.
constexpr auto kRest = std::chrono::milliseconds(50);

bool has_rested(const std::string& path) {
    struct stat status = {};
    timespec now = {};
    if (stat(path.c_str(), &status) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) return false;
    const auto since = [&](const timespec& then) {
        return std::chrono::seconds(now.tv_sec - then.tv_sec) +
               std::chrono::nanoseconds(now.tv_nsec - then.tv_nsec);
    };
    return std::min(since(status.st_mtim), since(status.st_ctim)) >= kRest;
}

}  // namespace

EndedTraces::EndedTraces(std::function<void(const std::string& path)> use) : use_(std::move(use)) {}

EndedTraces::~EndedTraces() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void EndedTraces::watch(const std::string& directory, const RunId& run_id) {
    // Signals are the launching thread's to handle.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this, directory, run_id] { look_until_stopped(directory, run_id); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void EndedTraces::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

bool EndedTraces::is_stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void EndedTraces::look(const std::string& directory, const RunId& run_id) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string path = entry->path().string();
        if (done_.contains(path)) continue;
        const std::optional<RunTrace> trace = read_run_trace(path);
        if (!trace) continue;  // may be one that is just made
        if (trace->run_id == run_id) {
            if (trace->exit_kind == trace::ExitKind::kNone || trace->is_alive) continue;
            if (!has_rested(path)) continue;
            if (is_stopped()) return;
            use_(path);
        }
        done_.insert(path);
    }
}

void EndedTraces::look_until_stopped(const std::string& directory, const RunId& run_id) {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        lock.unlock();
        const Clock::time_point begin = Clock::now();
        look(directory, run_id);
        const Clock::duration pause =
            std::max<Clock::duration>(kPause, (Clock::now() - begin) * kPauseShare);
        lock.lock();
        changed_.wait_for(lock, pause, [&] { return stopped_; });
    }
}

}  // namespace lastref
