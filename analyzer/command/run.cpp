#include "command/run.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "command/exit_status.h"
#include "command/hooks.h"
#include "command/launcher.h"
#include "command/program_file.h"
#include "command/rule_files.h"
#include "command/run_output.h"
#include "command/run_summary.h"
#include "command/run_traces.h"
#include "command/say.h"
#include "command/shim_location.h"
#include "confinement.h"

namespace lastref {
namespace {

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

// One of the four levels by its name; nothing for any other word.
std::optional<std::string> level_name(const std::string& given) {
    static constexpr const char* kLevels[] = {"disabled", "simple", "advanced", "paranoid"};
    for (size_t number = 0; number < std::size(kLevels); ++number)
        if (lower(given) == kLevels[number] || given == std::to_string(number))
            return kLevels[number];
    return std::nullopt;
}

// The switches of --unpooled: what makes common allocators and pools take every object from malloc.
struct PoolSwitch {
    const char* name;
    const char* value;
    bool append;  // to what is there, behind a blank
};
constexpr PoolSwitch kPoolSwitches[] = {
    {"G_SLICE", "always-malloc", false},  // GLib before 2.76
    {"GLIBCXX_FORCE_NEW", "1", false},    // libstdc++'s pool allocators
    {"PYTHONMALLOC", "malloc", false},    // CPython's obmalloc
    {"JAVA_TOOL_OPTIONS", "-Dio.netty.allocator.type=unpooled", true},  // Netty
};

// As the shim reads sizes: a number, then k, m, g or t, then i, then b, the letters of either case.
bool is_ring_size(const std::string& text) {
    constexpr uint64_t kLeast = 256u << 10;
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 15) return false;
    std::string unit = lower(text.substr(digits));
    if (unit.ends_with("b")) unit.pop_back();
    const size_t power = unit.empty() ? 0 : std::string_view(" kmgt").find(unit[0]);
    const bool good = unit.empty() || (power != std::string_view::npos && power != 0 &&
                                       (unit.size() == 1 || unit.substr(1) == "i"));
    return good &&
           std::stoull(text.substr(0, digits)) >= (kLeast >> (10 * std::min<size_t>(power, 2)));
}

RunId random_run_id() {
    RunId id = {};
    size_t filled = 0;
    while (filled < id.size()) {
        ssize_t got = getrandom(id.data() + filled, id.size() - filled, 0);
        if (got > 0) filled += static_cast<size_t>(got);
    }
    return id;
}

void set_variable(std::vector<std::string>& environment, std::string_view name,
                  std::string_view value) {
    std::erase_if(environment, [&](const std::string& entry) {
        return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
    });
    environment.push_back(fmt::format("{}={}", name, value));
}

void switch_pools_off(std::vector<std::string>& environment) {
    std::string said;
    for (const PoolSwitch& one : kPoolSwitches) {
        const std::string before = from_environment(one.name);
        const std::string value =
            one.append && !before.empty() ? before + ' ' + one.value : one.value;
        set_variable(environment, one.name, value);
        said += fmt::format(" {}={}", one.name, one.value);
    }
    say("lastref: unpooled:{}\n", said);
}

// The packs and files of --hooks, checked; false where the program must not be started.
bool check_rules(const RunOptions& options, const std::string& program, std::string& list) {
    const RuleFiles files = read_rule_files(options.hooks);
    for (const std::string& path : files.paths) list += (list.empty() ? "" : ",") + path;
    for (const std::string& missing : files.missing) fail(kUsage, "--hooks " + missing);
    if (!files.missing.empty()) return false;
    if (!options.strict_hooks) return true;  // the shim says what is wrong, once
    std::vector<std::string> errors = files.errors;
    for (std::string& error : missing_functions(*files.rules, program))
        errors.push_back(std::move(error));
    for (const std::string& error : errors) fail(kUsage, error);
    return errors.empty();
}

std::vector<std::string> shim_environment(const std::string& shim, const std::string& level,
                                          const std::string& output, const std::string& ring,
                                          const RunId& run_id) {
    std::vector<std::string> environment;
    for (char** entry = environ; *entry; ++entry) environment.emplace_back(*entry);
    std::string preload = from_environment("LD_PRELOAD");
    set_variable(environment, "LD_PRELOAD", preload.empty() ? shim : shim + ':' + preload);
    set_variable(environment, "LASTREF_LEVEL", level);
    set_variable(environment, "LASTREF_OUT", output);
    if (!ring.empty()) set_variable(environment, "LASTREF_RING", ring);
    std::string hexadecimal;
    for (uint8_t byte : run_id) hexadecimal += fmt::format("{:02x}", byte);
    set_variable(environment, "LASTREF_RUN_ID", hexadecimal);
    uint32_t filters = 0;  // a program that has more of them is in a sandbox of its own
    if (count_filters("/proc/self/status", filters))
        set_variable(environment, "LASTREF_SECCOMP_FILTERS", std::to_string(filters));
    return environment;
}

void explain_missing_trace(const RunOutcome& outcome) {
    if (outcome.level == "disabled") {
        say("lastref: no trace: recording is off at level disabled\n");
        return;
    }
    if (outcome.end.signal != 0) {
        say("lastref: no trace: the program was ended by the signal before the shim had begun one; "
            "with LASTREF_LEVEL=disabled it shows whether the shim has to do with that\n");
        return;
    }
    say("lastref: no trace appeared in {}: the shim could not make its file there, or was "
        "not loaded (LD_PRELOAD cleared); LASTREF_VERBOSE=1 tells more\n",
        outcome.directory);
}

int exit_status(const std::string& program, const ChildEnd& end) {
    if (end.signal == 0) return end.status;
    const char* name = sigabbrev_np(end.signal);
    say("lastref: {}: ended by signal {} ({}{})\n", program, end.signal, name ? "SIG" : "",
        name ? name : "unnamed");
    return 128 + end.signal;
}

}  // namespace

RunOutcome run_traced(const RunOptions& options) {
    RunOutcome outcome;
    auto refuse_run = [&](const std::string& reason) {
        fail(kUsage, reason);
        return outcome;
    };
    if (options.command.empty()) return refuse_run("no program given (see lastref run --help)");

    std::string level_given =
        options.level.empty() ? from_environment("LASTREF_LEVEL") : options.level;
    auto level = level_name(level_given.empty() ? "paranoid" : level_given);
    if (!level)
        return refuse_run(
            fmt::format("level '{}' is none of disabled, simple, advanced, paranoid", level_given));
    if (!options.ring.empty() && !is_ring_size(options.ring))
        return refuse_run(
            fmt::format("--ring {}: wants a size of at least 256K, as 64M", options.ring));
    const std::string& name = options.command.front();
    auto program = find_program(name);
    if (!program) return refuse_run(fmt::format("{}: not found on PATH", name));
    if (std::string reason = why_not_traceable(*program); !reason.empty())
        return refuse_run(fmt::format("{} {}", *program, reason));

    RunOutput output =
        resolve_output(options.output.empty() ? from_environment("LASTREF_OUT") : options.output);
    if (!output.error.empty()) return refuse_run(output.error);
    ShimLocation shim = locate_shim();
    if (shim.path.empty()) return refuse_run(shim.reason);

    std::string rules;
    if (!options.hooks.empty() && !check_rules(options, *program, rules)) return outcome;

    RunId run_id = random_run_id();
    std::vector<std::string> environment =
        shim_environment(shim.path, *level, output.pattern, options.ring, run_id);
    if (!rules.empty()) set_variable(environment, "LASTREF_HOOKS", rules);
    if (options.unpooled) switch_pools_off(environment);
    if (options.starting) options.starting(run_id, output.directory);
    outcome.end = launch_and_wait({*program, options.command, environment, options.timeout});
    if (outcome.end.error != 0)
        return refuse_run(
            fmt::format("{} can't be run: {}", *program, strerror(outcome.end.error)));

    outcome.started = true;
    outcome.run_id = run_id;
    outcome.level = *level;
    outcome.directory = output.directory;
    outcome.status = exit_status(*program, outcome.end);
    outcome.traces = find_run_traces(output.directory, run_id);
    record_end(outcome.traces, outcome.end);
    return outcome;
}

int run_command(const RunOptions& options) {
    const RunOutcome outcome = run_traced(options);
    if (!outcome.started) return kUsage;
    if (outcome.traces.empty())
        explain_missing_trace(outcome);
    else
        say("{}", run_summary(outcome.traces, outcome.end.pid,
                              from_environment("LASTREF_FOLLOW_FORK") != "0"));
    return outcome.status;
}

}  // namespace lastref
