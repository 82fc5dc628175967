// A report's parts, one for each trace: made in any order and by several threads, put together in
// the order of the traces. So the report is the same however many threads there were, and a trace
// that is finished early can be judged while others are still written.
#ifndef LASTREF_ANALYZER_ANALYZE_REPORT_PARTS_H
#define LASTREF_ANALYZER_ANALYZE_REPORT_PARTS_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/findings.h"
#include "analyze/trace_follower.h"
#include "read/result.h"
#include "symbols/elf_files.h"
#include "symbols/symbol_places.h"

namespace lastref {

struct Options {
    // Called now and then with the share of the work done, 0 to 1, for a progress line; by the
    // thread that called for the report.
    std::function<void(double)> progress;
    // Where set, traces that can't be read are recorded here and the others reported.
    std::vector<Error>* unreadable = nullptr;
    SymbolPlaces symbols;
    bool usage = false;  // also Report::usage, which not every format shows
    // Follows the traces in place of that; see analyze_trace(). They are then read one after the
    // other, in order, until it is stopped.
    TraceFollower* follower = nullptr;
};

class ReportParts {
public:
    // `files` are those of options.symbols, and may be shared with other reports.
    ReportParts(Options options, std::shared_ptr<ElfFiles> files);
    // No other thread may be in prepare() any more.
    ~ReportParts();
    ReportParts(const ReportParts&) = delete;
    ReportParts& operator=(const ReportParts&) = delete;

    // Makes the part of a trace that nobody writes to any more, if no one has begun to. Any thread
    // may call this. Not where a follower is set.
    void prepare(const std::string& path);

    // The report on these traces. Takes the parts that are there, waits for those begun, makes the
    // others; one whose file has changed since is made again. Once only.
    Result<Report> report(std::span<const std::string> paths);

private:
    // Distinguishes a file that was written to from one that was not.
    struct FileState {
        uint64_t device = 0, inode = 0, size = 0;
        int64_t modified_ns = 0, changed_ns = 0;
        bool operator==(const FileState&) const = default;
        static FileState of(const std::string& path);
    };
    struct Part {
        bool is_early = false;  // made by prepare()
        FileState file;
        std::unique_ptr<Result<Report>> report;  // null while it is made
    };
    // Called now and then with the number of bytes of the trace that are done.
    using Progress = std::function<void(uint64_t)>;

    // The part to be made by the caller; null where somebody has begun.
    Part* claim(const std::string& path);
    void make(const std::string& path, Part& part, const Progress& progress = {});
    void make_all(std::span<const std::string> paths, bool is_caller);
    void wait_for_all(std::span<const std::string> paths);
    void show_progress() const;
    bool is_over() const;  // no further part is wanted
    Result<Report> merged(std::span<const std::string> paths);

    const Options options_;
    const std::shared_ptr<ElfFiles> files_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable made_;
    std::unordered_map<std::string, std::unique_ptr<Part>> parts_;  // by path
    std::atomic<bool> failed_ = false;                              // no report will be made
    uint64_t bytes_ = 0;                                            // of all traces of the report
    std::atomic<uint64_t> bytes_done_ = 0;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_ANALYZE_REPORT_PARTS_H
