#include "command/ended_traces.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <vector>

#include "support/catch.h"
#include "support/temporary_folder.h"

using namespace lastref;
using namespace lastref::testing;
namespace fs = std::filesystem;

namespace {

constexpr RunId kOurs = {1, 2, 3};
constexpr RunId kOthers = {9};

// Field 22 of /proc/self/stat; the program's name, field 2, holds no blank.
uint64_t own_start() {
    std::ifstream file("/proc/self/stat");
    std::vector<std::string> fields{std::istream_iterator<std::string>(file), {}};
    return std::stoull(fields.at(21));
}

struct Folder : TemporaryFolder {
    void trace(const std::string& name, const RunId& run_id, trace::ExitKind exit_kind,
               uint64_t process_start) {
        trace::TraceHeader header = {};
        memcpy(header.magic, trace::kTraceMagic, sizeof header.magic);
        header.version = trace::kTraceVersion;
        header.pid = getpid();
        header.process_start = process_start;
        header.exit_kind = exit_kind;
        memcpy(header.run_id, run_id.data(), run_id.size());
        std::ofstream(path / name).write(reinterpret_cast<char*>(&header), sizeof header);
    }
};

class Names {
public:
    void add(const std::string& path) {
        const std::lock_guard lock(mutex_);
        names_.push_back(fs::path(path).filename());
        changed_.notify_all();
    }
    void wait_for(const std::string& name) {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [&] { return std::find(names_.begin(), names_.end(), name) != names_.end(); });
    }
    std::vector<std::string> names() {
        const std::lock_guard lock(mutex_);
        return names_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> names_;
};

}  // namespace

TEST_CASE("a trace is reported once when its process has ended and is gone") {
    const uint64_t here = own_start(), gone = here + 1;
    Folder folder;
    Names reported;
    folder.trace("alive", kOurs, trace::ExitKind::kExec, here);
    folder.trace("unknown", kOurs, trace::ExitKind::kStatus, 0);
    folder.trace("killed", kOurs, trace::ExitKind::kNone, gone);
    folder.trace("other", kOthers, trace::ExitKind::kStatus, gone);
    std::ofstream(folder.path / "text") << std::string(5000, 'x');
    folder.trace("first", kOurs, trace::ExitKind::kStatus, gone);
    {
        EndedTraces ended([&](const std::string& path) { reported.add(path); });
        ended.watch(folder.path, kOurs);
        reported.wait_for("first");
        folder.trace("second", kOurs, trace::ExitKind::kSignal, gone);
        reported.wait_for("second");
        folder.trace("third", kOurs, trace::ExitKind::kStatus, gone);
        reported.wait_for("third");
    }
    CHECK(reported.names() == std::vector<std::string>{"first", "second", "third"});
}
