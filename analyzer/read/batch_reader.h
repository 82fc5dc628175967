// The events of a trace in their order, batch after batch, decoded by a thread of their own where
// the machine has a core for it.
//
// Decoding and judging take about as long, so two threads halve the time; the events and their
// order are the same either way. The reading thread owns what reading changes (the trace's strings
// and damage) until next() returned an empty batch.
#ifndef LASTREF_ANALYZER_READ_BATCH_READER_H
#define LASTREF_ANALYZER_READ_BATCH_READER_H

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "read/event_merger.h"
#include "read/trace_file.h"

namespace lastref {

// How many cores this process may use, at least 1.
unsigned usable_cores();

class BatchReader {
public:
    // `trace` must outlive the reader. `ahead`: decode in another thread.
    BatchReader(TraceFile& trace, bool ahead);
    ~BatchReader();
    BatchReader(const BatchReader&) = delete;
    BatchReader& operator=(const BatchReader&) = delete;

    // The next events, valid until the next call; none at the end of the trace.
    std::span<const Event> next();

    // Events whose stack the trace does not hold. Only after the last batch.
    uint64_t stacks_missing() const { return merger_.stacks_missing(); }

private:
    // What is decoded stays in the cache until it is judged: of one core, or of both.
    static constexpr size_t kAlone = 256, kAhead = 2048, kBatches = 4;

    struct Batch {
        std::vector<Event> events;
        size_t count = 0;
    };

    void read_ahead();
    void read_batches();

    EventMerger merger_;
    std::array<Batch, kBatches>
        batches_;       // number n is in n % kBatches; without a thread the first
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    uint64_t filled_ = 0, emptied_ = 0;  // batches so far
    bool ended_ = false;                 // the reading thread is through
    bool stopped_ = false;               // nobody wants more
    std::exception_ptr failure_;
    bool lent_ = false;  // the caller's only: batch emptied_ is in its hands
    std::thread thread_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_READ_BATCH_READER_H
