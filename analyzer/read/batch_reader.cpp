#include "read/batch_reader.h"

#include <sched.h>

#include <utility>

namespace lastref {

unsigned usable_cores() {
    cpu_set_t cores;
    // With more cores than the set holds the call fails.
    if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return CPU_SETSIZE;
    return static_cast<unsigned>(CPU_COUNT(&cores));
}

BatchReader::BatchReader(TraceFile& trace, bool ahead) : merger_(trace) {
    if (!ahead) {
        batches_[0].events.resize(kAlone);
        return;
    }
    for (Batch& batch : batches_) batch.events.resize(kAhead);
    thread_ = std::thread([this] { read_ahead(); });
}

BatchReader::~BatchReader() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::span<const Event> BatchReader::next() {
    if (!thread_.joinable()) {
        return {batches_[0].events.data(), merger_.fill(batches_[0].events)};
    }
    std::unique_lock lock(mutex_);
    if (std::exchange(lent_, false)) {
        ++emptied_;
        changed_.notify_all();
    }
    changed_.wait(lock, [this] { return filled_ != emptied_ || ended_; });
    if (filled_ == emptied_) {
        if (failure_) std::rethrow_exception(failure_);
        return {};
    }
    lent_ = true;
    const Batch& batch = batches_[emptied_ % kBatches];
    return {batch.events.data(), batch.count};
}

void BatchReader::read_ahead() {
    std::exception_ptr failure;
    try {
        read_batches();
    } catch (...) {  // out of memory: the caller's to report
        failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    ended_ = true;
    changed_.notify_all();
}

void BatchReader::read_batches() {
    for (uint64_t number = 0;; ++number) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return stopped_ || number - emptied_ < kBatches; });
            if (stopped_) return;
        }
        Batch& batch = batches_[number % kBatches];
        batch.count = merger_.fill(batch.events);
        if (batch.count == 0) return;
        const std::lock_guard lock(mutex_);
        filled_ = number + 1;
        changed_.notify_all();
    }
}

}  // namespace lastref
