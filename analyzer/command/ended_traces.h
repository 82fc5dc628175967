// Reports a run's traces as soon as nobody writes to them, while the run goes on.
#ifndef LASTREF_ANALYZER_COMMAND_ENDED_TRACES_H
#define LASTREF_ANALYZER_COMMAND_ENDED_TRACES_H

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "command/run_traces.h"

namespace lastref {

// Looks into the folder again and again, in a thread of its own that gives way to the run. A trace
// is reported once its process has recorded how it ended and is gone; the traces of others, such as
// killed ones, are left to the search at the end.
class EndedTraces {
public:
    // `use` is called in that thread, once for each trace.
    explicit EndedTraces(std::function<void(const std::string& path)> use);
    // Waits until `use` has returned.
    ~EndedTraces();
    EndedTraces(const EndedTraces&) = delete;
    EndedTraces& operator=(const EndedTraces&) = delete;

    // Once at most.
    void watch(const std::string& directory, const RunId& run_id);
    // Nothing more is begun; does not wait.
    void stop();

private:
    void look(const std::string& directory, const RunId& run_id);
    void look_until_stopped(const std::string& directory, const RunId& run_id);
    bool is_stopped();

    const std::function<void(const std::string&)> use_;
    std::set<std::string> done_;  // the thread's: paths that need no further look
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_ENDED_TRACES_H
