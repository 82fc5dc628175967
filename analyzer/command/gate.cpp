#include "command/gate.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <thread>

#include "analyze/build_report.h"
#include "analyze/report_parts.h"
#include "command/ended_traces.h"
#include "command/exit_status.h"
#include "command/installed_file.h"
#include "command/output_file.h"
#include "command/progress_line.h"
#include "command/run.h"
#include "command/say.h"
#include "command/streamed_output.h"
#include "command/temporary_folder.h"
#include "gate/control.h"
#include "gate/default_suppressions.h"
#include "gate/judge.h"
#include "report/formats.h"
#include "report/gate_text.h"

namespace lastref {
namespace {

constexpr int kFailed = 1;
constexpr int kInconclusive = 3;
constexpr int kTimedOut = 124;  // as timeout(1)
constexpr size_t kReasonsShown = 20;
constexpr auto kGrace = std::chrono::seconds(2);  // for processes that outlive the command

// Reads the user's rule files and arguments; false where anything is wrong with them.
bool read_rules(const GateOptions& options, GateRules& rules, Suppressions& suppressions) {
    std::vector<std::string> errors;
    rules.min_confidence = options.min_confidence;
    rules.min_coverage = options.min_coverage;
    rules.min_count = options.min_count;
    rules.kinds.insert(options.kinds.begin(), options.kinds.end());
    rules.system = options.system;
    rules.system_folders = options.system_folders;
    rules.strict = options.strict;
    rules.allow_untraced = options.allow_untraced;
    for (const std::string& text : options.budgets) {
        auto budget = parse_budget(text);
        if (budget)
            rules.budgets.push_back(*budget);
        else
            errors.push_back(fmt::format(
                "--budget {}: wants TYPE=COUNT or TYPE=BYTES, as ByteBuf=10 or heap=64K", text));
    }
    for (const std::string& path : options.suppressions)
        for (std::string& error : suppressions.add_file(path)) errors.push_back(std::move(error));
    if (!options.baseline.empty() && !options.update_baseline) {
        auto baseline = read_baseline(options.baseline);
        for (std::string& error : baseline.errors) errors.push_back(std::move(error));
        rules.baseline = std::move(baseline.value);
    }
    for (const std::string& error : errors) say("lastref: {}\n", error);
    return errors.empty();
}

bool any_running(const RunOutcome& outcome, const RunId& id, std::vector<RunTrace>& traces) {
    traces = find_run_traces(outcome.directory, id);
    for (const RunTrace& trace : traces)
        if (trace.is_running) return true;
    return false;
}

// Processes that the command did not wait for get a moment to end; those of a command whose time
// was over are ended.
std::vector<RunTrace> settled_traces(const RunOutcome& outcome) {
    std::vector<RunTrace> traces = outcome.traces;
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (any_running(outcome, outcome.run_id, traces) &&
           std::chrono::steady_clock::now() < until) {
        for (const RunTrace& trace : traces)
            if (outcome.end.timed_out && trace.is_running) kill(trace.pid, SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return traces;
}

// Reads the traces of one run.
class TraceReading {
public:
    TraceReading(std::shared_ptr<ElfFiles> files, bool usage)
        : parts_(options(usage), std::move(files)),
          ended_([this](const std::string& path) { parts_.prepare(path); }) {}

    // To be called before the run: traces of its ended processes are read while it goes on.
    void begin(const RunId& run_id, const std::string& directory) {
        ended_.watch(directory, run_id);
    }

    Report finish(const std::vector<RunTrace>& traces, std::vector<std::string>& doubts) {
        ended_.stop();
        std::vector<std::string> paths;
        for (const RunTrace& trace : traces) paths.push_back(trace.path);
        Result<Report> report = parts_.report(paths);
        for (const Error& error : unreadable_) doubts.push_back("unreadable: " + error.message());
        return report ? std::move(*report) : Report{};
    }

private:
    Options options(bool usage) {
        Options options;
        options.unreadable = &unreadable_;
        options.usage = usage;
        options.progress = [this](double share) { line_.show(share); };
        return options;
    }

    ProgressLine line_{"gate"};
    std::vector<Error> unreadable_;
    ReportParts parts_;
    EndedTraces ended_;  // after parts_, which its thread uses
};

// Runs the planted control as the command was run, and says why it does not prove the gate.
std::string control_failure(const GateOptions& options, const std::string& folder,
                            const std::shared_ptr<ElfFiles>& files, Suppressions& suppressions) {
    const std::string control = find_installed_file("lastref-control", "../libexec/lastref");
    if (control.empty())
        return "the planted control (lastref-control) is neither beside the command lastref nor in "
               "its install tree: install lastref as a whole";
    RunOptions run;
    run.level = options.level;
    run.hooks = options.hooks;
    run.output = folder + "/%e.%p.%n.trace";
    run.command = {control};
    const RunOutcome outcome = run_traced(run);
    if (!outcome.started || outcome.status != 0) return "the planted control could not be run";
    std::vector<std::string> doubts;
    const Report report = TraceReading(files, false).finish(outcome.traces, doubts);
    if (!doubts.empty()) return "the planted control's trace: " + doubts.front();
    return why_control_fails(report, suppressions);
}

// The suppressions that the traced programs hold themselves.
void add_default_suppressions(const Report& report, Suppressions& suppressions,
                              std::vector<std::string>& notes) {
    std::set<std::string> programs;
    for (const Process& process : report.processes) {
        if (process.executable.empty() || !programs.insert(process.executable).second) continue;
        const DefaultSuppressions found = default_suppressions(process.executable);
        if (!found.reason.empty()) notes.push_back(found.reason);
        for (const std::string& error : suppressions.add_text(found.text, process.executable))
            notes.push_back(error);
    }
}

// The follower needs the traces read once more, as it was not known in time that they end well.
std::string write_following(const GateOptions& options, const Format& format,
                            const std::string& path, const std::vector<RunTrace>& traces,
                            const Report& report) {
    if (format.one_trace && traces.size() != 1) {
        return fmt::format(
            "{}: a {} file holds one process, and {} were traced: keep the traces "
            "(--traces DIR) and export one of them",
            path, format.name, traces.size());
    }
    return write_streamed(format, path, [&](TraceFollower& follower) -> const Report* {
        std::vector<Error> unreadable;  // reported already
        Options reading;
        reading.symbols = options.symbols;
        reading.follower = &follower;
        reading.unreadable = &unreadable;
        std::vector<std::string> paths;
        for (const RunTrace& trace : traces) paths.push_back(trace.path);
        return build_report(paths, reading) ? &report : nullptr;
    });
}

// False where any can't be written; the others are.
bool write_outputs(const GateOptions& options, const std::vector<RunTrace>& traces,
                   const Report& report) {
    bool all = true;
    for (const auto& [name, file] : options.outputs) {
        const Format* format = find_format(name);
        const std::string path = file == "-" ? "" : file;
        const std::string_view missing = format->missing();
        const std::string failure = !missing.empty() ? fmt::format("{}: {}", file, missing)
                                    : format->stream != nullptr
                                        ? write_following(options, *format, path, traces, report)
                                        : write_output(path, format->render(report, SIZE_MAX));
        if (failure.empty()) continue;
        say("lastref: --{} {}\n", name, failure);
        all = false;
    }
    return all;
}

bool write_baseline(const GateOptions& options, const Report& report) {
    const std::string failure = write_output(options.baseline, baseline_text(report));
    if (!failure.empty()) say("lastref: --baseline {}\n", failure);
    return failure.empty();
}

// With a baseline that was just made all of its findings are known.
void accept_all(Report& report) {
    for (Finding& finding : report.findings)
        if (is_failing(finding.standing)) finding.standing = Standing::kKnown;
    report.gate->verdict = "pass";
    report.gate->reasons.clear();
}

int status_of(const GateSummary& gate) {
    if (gate.verdict == "pass") return 0;
    return gate.verdict == "fail" ? kFailed : kInconclusive;
}

int run_gate(const GateOptions& options, const std::string& folder) {
    GateRules rules;
    Suppressions suppressions;
    if (!read_rules(options, rules, suppressions)) return kUsage;

    std::error_code error;
    const std::string traces_folder = options.traces.empty() ? folder + "/traces" : options.traces;
    std::filesystem::create_directories(traces_folder, error);
    std::filesystem::create_directory(folder + "/control", error);
    RunOptions run;
    run.level = options.level;
    run.hooks = options.hooks;
    run.timeout = options.timeout;
    run.output = traces_folder + "/%e.%p.%n.trace";
    run.command = options.command;
    const bool usage =
        std::any_of(options.outputs.begin(), options.outputs.end(),
                    [](const auto& output) { return find_format(output.first)->usage; });
    const auto files = std::make_shared<ElfFiles>(options.symbols);
    TraceReading reading(files, usage);
    run.starting = [&](const RunId& id, const std::string& in) { reading.begin(id, in); };
    const RunOutcome outcome = run_traced(run);
    if (!outcome.started) return kUsage;
    if (outcome.end.received != 0) _exit(128 + outcome.end.received);  // not to wait for `reading`
    Doubts doubts;
    if (outcome.end.timed_out) {
        doubts.reasons.push_back("the command was ended before it was done (--timeout)");
        say("lastref: {}: not done after {} seconds: ended\n", options.command.front(),
            options.timeout);
    }

    const std::vector<RunTrace> traces = settled_traces(outcome);
    Report report = reading.finish(traces, doubts.reasons);
    report.root = std::filesystem::current_path(error).string();
    const std::string failure = control_failure(options, folder + "/control", files, suppressions);
    if (!failure.empty()) doubts.reasons.push_back(failure);
    std::vector<std::string> notes;
    add_default_suppressions(report, suppressions, notes);
    judge(report, rules, suppressions, doubts);
    report.gate->notes.insert(report.gate->notes.end(), notes.begin(), notes.end());

    bool all_written = true;
    if (options.update_baseline && report.gate->verdict != "inconclusive") {
        all_written = write_baseline(options, report);
        accept_all(report);
    }
    all_written &= write_outputs(options, traces, report);
    say("{}", gate_text(report, kReasonsShown));
    const int command_status = outcome.end.timed_out ? kTimedOut : outcome.status;
    if (command_status != 0)
        say("lastref: {}: ended with status {}\n", options.command.front(), command_status);
    if (command_status != 0 && !options.keep_going) return command_status;
    return all_written ? status_of(*report.gate) : kUsage;
}

}  // namespace

int gate_command(const GateOptions& options) {
    return in_temporary_folder([&](const std::string& folder) { return run_gate(options, folder); },
                               kUsage);
}

}  // namespace lastref
