// The `lastref` command: reads the command line and hands over to one file per verb (command/).
//
// Exit statuses: what the verb says; 2 for wrong usage.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "command/diff.h"
#include "command/events.h"
#include "command/exit_status.h"
#include "command/gate.h"
#include "command/hooks.h"
#include "command/info.h"
#include "command/man_page.h"
#include "command/output_file.h"
#include "command/pack.h"
#include "command/report.h"
#include "command/run.h"
#include "command/run_arguments.h"
#include "command/symbolize.h"
#include "examples.h"
#include "report/formats.h"

namespace {

using namespace lastref;

// Every verb's options, filled in by the parser.
struct CommandLine {
    RunOptions run;
    ReportOptions report;
    InfoOptions info;
    EventsOptions events;
    PackOptions pack, unpack;
    DiffOptions diff;
    GateOptions gate;
    SymbolizeOptions symbolize;
    std::string buffer;                   // of events and report
    std::string rules, program, library;  // of hooks
    size_t top = 0;                       // of report
};

// The program's part of the command line is not parsed by the parser, so it is added to the usage
// line here.
struct RunFormatter : CLI::Formatter {
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: lastref run [OPTIONS] [--] PROGRAM [ARGUMENTS...]\n";
    }
};

CLI::App* add_run(CLI::App& app, CommandLine& line) {
    CLI::App* run = app.add_subcommand("run", "Run a program and trace it");
    run->formatter(std::make_shared<RunFormatter>());
    run->add_option(
        "--level", line.run.level,
        "disabled, simple, advanced or paranoid (default: LASTREF_LEVEL, else paranoid)");
    run->add_option("--hooks", line.run.hooks,
                    "Rule pack or rule file for a library's buffers (see lastref hooks)")
        ->allow_extra_args(false);
    run->add_option("-o,--output", line.run.output,
                    "The trace's path; may hold %p, %e, %n (default: lastref.%e.%p.trace)");
    run->add_option("--ring", line.run.ring, "Keep only the newest SIZE of events");
    run->add_flag("--unpooled", line.run.unpooled,
                  "Switch the known buffer pools off (says which)");
    run->add_flag("--strict-hooks", line.run.strict_hooks,
                  "Do not start with an error in a rule file");
    run->footer(kRunExamples);
    return run;
}

void add_symbol_places(CLI::App& verb, SymbolPlaces& places) {
    verb.add_option("--sysroot", places.sysroot,
                    "Look for the traced machine's files in this copy of them first");
    verb.add_option("--debug-dir", places.debug_dirs,
                    "Look for debug files here too, as below /usr/lib/debug (may be repeated)")
        ->allow_extra_args(false);
}

void add_weight(CLI::App& verb, CommandLine& line) {
    verb.add_option("--weight", line.report.weight,
                    "Of folded stacks: bytes live (at the end), peak or allocated (in all)")
        ->check(CLI::IsMember({"live", "peak", "allocated"}));
}

CLI::App* add_report(CLI::App& app, CommandLine& line) {
    CLI::App* report = app.add_subcommand("report", "Say what leaked and who is to blame");
    report->add_option("TRACE", line.report.traces, "Trace files")->required();
    std::vector<std::string> names;
    for (const Format& format : formats()) names.emplace_back(format.name);
    report->add_option("--format", line.report.format, "What to write (default: text)")
        ->check(CLI::IsMember(names));
    add_weight(*report, line);
    report->add_option("-o,--output", line.report.output, "Write to a file instead");
    report
        ->add_option("--top", line.top, "Show the N worst findings (default: 20 as text, else all)")
        ->check(CLI::Range(size_t{1}, size_t{1000000000}));
    report->add_option("--buffer", line.buffer,
                       "Only the lives of buffers at this address, newest first");
    report->add_option("--suppressions", line.report.suppressions,
                       "A file that says which findings to leave out (as the gate's)");
    add_symbol_places(*report, line.report.symbols);
    report->footer(kReportExamples);
    return report;
}

CLI::App* add_export(CLI::App& app, CommandLine& line) {
    CLI::App* verb = app.add_subcommand("export", "Write a trace for other tools to read");
    verb->add_option("TRACE", line.report.traces, "Trace files")->required();
    verb->add_option("--format", line.report.format,
                     "html, folded, pprof, heaptrack, perfetto or sqlite")
        ->required()
        ->check(CLI::IsMember({"html", "folded", "pprof", "heaptrack", "perfetto", "sqlite"}));
    verb->add_option("-o,--output", line.report.output, "Write to a file instead");
    add_weight(*verb, line);
    add_symbol_places(*verb, line.report.symbols);
    verb->footer(kExportExamples);
    return verb;
}

CLI::App* add_info(CLI::App& app, CommandLine& line) {
    CLI::App* info = app.add_subcommand("info", "Show what a trace file holds");
    info->add_option("TRACE", line.info.trace, "Trace file")->required();
    info->footer(kInfoExamples);
    return info;
}

CLI::App* add_events(CLI::App& app, CommandLine& line) {
    CLI::App* events = app.add_subcommand("events", "Print every record as a line of JSON");
    events->add_option("TRACE", line.events.trace, "Trace file")->required();
    events->add_option("--buffer", line.buffer, "Only records about this address");
    events->add_flag("--stacks", line.events.stacks, "Print whole stacks, with names");
    add_symbol_places(*events, line.events.symbols);
    events->footer(kEventsExamples);
    return events;
}

CLI::App* add_pack(CLI::App& app, PackOptions& options) {
    CLI::App* pack = app.add_subcommand("pack", "Compress a finished trace without loss");
    pack->add_option("TRACE", options.trace, "Trace file")->required();
    pack->add_option("-o,--output", options.output, "The packed file (default: TRACE.packed)");
    pack->footer(kPackExamples);
    return pack;
}

CLI::App* add_unpack(CLI::App& app, PackOptions& options) {
    CLI::App* unpack = app.add_subcommand("unpack", "Make the plain trace from a packed one");
    unpack->add_option("TRACE", options.trace, "Packed trace")->required();
    unpack->add_option("-o,--output", options.output, "The trace (default: TRACE without .packed)");
    unpack->footer(kUnpackExamples);
    return unpack;
}

CLI::App* add_symbolize(CLI::App& app, SymbolizeOptions& options) {
    CLI::App* symbolize =
        app.add_subcommand("symbolize", "Write the names of all code into a finished trace");
    symbolize->add_option("TRACE", options.trace, "Trace file")->required();
    add_symbol_places(*symbolize, options.symbols);
    symbolize->footer(kSymbolizeExamples);
    return symbolize;
}

struct HooksCommand {
    CLI::App* app = nullptr;
    CLI::App* list = nullptr;
    CLI::App* check = nullptr;
    CLI::App* draft = nullptr;
};

HooksCommand add_hooks(CLI::App& app, CommandLine& line) {
    HooksCommand hooks;
    hooks.app = app.add_subcommand("hooks", "Rules for other people's libraries");
    hooks.app->require_subcommand(1);
    hooks.app->footer(kHooksExamples);
    hooks.list = hooks.app->add_subcommand("list", "The built-in packs");
    hooks.check = hooks.app->add_subcommand("check", "What a rule file would hook in a program");
    hooks.check->add_option("FILE", line.rules, "Rule file, or a pack's name")->required();
    hooks.check->add_option("PROGRAM", line.program, "Program")->required();
    hooks.draft = hooks.app->add_subcommand("new", "Draft rules from a library's symbols");
    hooks.draft->add_option("LIBRARY", line.library, "Shared library")->required();
    return hooks;
}

CLI::App* add_diff(CLI::App& app, DiffOptions& options) {
    CLI::App* diff = app.add_subcommand("diff", "Say what changed between two traces");
    diff->add_option("OLD", options.before, "Trace before")->required();
    diff->add_option("NEW", options.after, "Trace after")->required();
    diff->add_option("--format", options.format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    diff->add_option("-o,--output", options.output, "Write to a file instead");
    add_symbol_places(*diff, options.symbols);
    diff->footer(kDiffExamples);
    return diff;
}

struct GateFormatter : CLI::Formatter {
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: lastref gate [OPTIONS] -- COMMAND [ARGUMENTS...]\n";
    }
};

CLI::App* add_gate(CLI::App& app, GateOptions& gate) {
    CLI::App* verb = app.add_subcommand("gate", "Run a command and fail where it leaks (for CI)");
    verb->formatter(std::make_shared<GateFormatter>());
    verb->add_option("--baseline", gate.baseline, "Known findings, which pass");
    verb->add_flag("--update-baseline", gate.update_baseline, "Write that file anew");
    verb->add_option("--budget", gate.budgets,
                     "TYPE=COUNT or TYPE=BYTES (64K): what may leak of one type")
        ->allow_extra_args(false);
    verb->add_option(
            "--suppressions", gate.suppressions,
            "Findings to leave out: leak:, kind:, type:, function:, module:, file: PATTERN")
        ->allow_extra_args(false);
    verb->add_flag("--strict", gate.strict, "Fail where a suppression matches nothing");
    verb->add_option("--kinds", gate.kinds, "Judge only these kinds of findings, joined by commas")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"refcount-leak", "heap-leak", "mapping-leak", "over-release",
                               "use-after-release", "freed-while-referenced", "double-free",
                               "growth", "allocation-failure"}));
    verb->add_option("--min-confidence", gate.min_confidence,
                     "Leave out findings whose culprit is less sure, 0 to 1 (plain memory stays)")
        ->check(CLI::Range(0.0, 1.0));
    verb->add_option("--min-count", gate.min_count, "Leave out findings of fewer objects")
        ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62));
    verb->add_option("--min-coverage", gate.min_coverage,
                     "Seen share of the operations on hooked buffers, 0 to 1 (default: 0.95)")
        ->check(CLI::Range(0.0, 1.0));
    verb->add_flag("--system", gate.system, "Judge plain memory of programs in /usr, too");
    verb->add_option("--system-folder", gate.system_folders,
                     "Another folder of such programs, as an interpreter's")
        ->allow_extra_args(false);
    verb->add_flag("--allow-untraced", gate.allow_untraced,
                   "Processes without a trace are no reason to be inconclusive");
    verb->add_option("--level", gate.level, "disabled, simple, advanced or paranoid (default)");
    verb->add_option("--hooks", gate.hooks, "Rule pack or rule file for a library's buffers")
        ->allow_extra_args(false);
    verb->add_option("--timeout", gate.timeout, "End the command after so many seconds");
    verb->add_flag("--keep-going", gate.keep_going,
                   "Status of the gate even where the command fails");
    verb->add_option("--traces", gate.traces, "Keep the traces in this folder");
    for (const Format& format : formats()) {
        auto add = [&gate, name = std::string(format.name)](const std::string& file) {
            gate.outputs.emplace_back(name, file.empty() ? "-" : file);
        };
        verb->add_option_function<std::string>(
                "--" + std::string(format.name), add,
                "Write to this file ('-': standard output): " + std::string(format.what))
            ->expected(0, 1)
            ->trigger_on_parse();
    }
    add_symbol_places(*verb, gate.symbols);
    verb->footer(kGateExamples);
    return verb;
}

// An address as people copy it out of a report: hexadecimal with 0x, or decimal.
uint64_t parse_address(const std::string& text) {
    char* end = nullptr;
    bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    size_t first = is_hexadecimal ? 2 : 0;
    errno = 0;
    uint64_t address = std::strtoull(text.c_str() + first, &end, is_hexadecimal ? 16 : 10);
    bool has_digit = first < text.size() && std::isxdigit(static_cast<unsigned char>(text[first]));
    if (!has_digit || *end != '\0' || errno != 0)
        throw CLI::ValidationError("--buffer", "'" + text + "' is not an address (0x...)");
    return address;
}

// The parser takes its arguments last one first.
void parse(CLI::App& app, std::vector<std::string> arguments) {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
}

// One line on what is wrong, and where to read what is right.
int complain(const CLI::App& app, const std::vector<std::string>& arguments, std::string what) {
    std::string verbs, help = "lastref --help";
    bool is_verb = false;
    for (const CLI::App* verb : app.get_subcommands(nullptr)) {
        verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
        is_verb |= !arguments.empty() && arguments.front() == verb->get_name();
    }
    if (is_verb)
        help = "lastref " + arguments.front() + " --help";
    else if (arguments.empty())
        what = "a command is wanted: " + verbs;
    else if (!arguments.front().starts_with('-'))
        what = "'" + arguments.front() + "' is no command of lastref, which has: " + verbs;
    std::replace(what.begin(), what.end(), '\n', ' ');
    std::cerr << "lastref: " << what << " (see " << help << ")\n";
    return kUsage;
}

// The help or the version that was asked for.
int answer(const CLI::App& app, const CLI::ParseError& asked) {
    std::ostringstream text;
    app.exit(asked, text, text);
    const std::string failure = write_output("", text.str());
    return failure.empty() ? 0 : fail(kUsage, failure);
}

int dispatch(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    CommandLine line;
    CLI::App app(
        "lastref: who holds the last reference? Traces a program's memory and names the "
        "line that keeps a buffer from being freed.",
        "lastref");
    app.set_version_flag("--version", "lastref " LASTREF_VERSION);
    app.footer(kExamples);
    app.require_subcommand(1);
    CLI::App* run = add_run(app, line);
    CLI::App* report = add_report(app, line);
    CLI::App* exported = add_export(app, line);
    CLI::App* info = add_info(app, line);
    CLI::App* events = add_events(app, line);
    CLI::App* pack = add_pack(app, line.pack);
    CLI::App* unpack = add_unpack(app, line.unpack);
    CLI::App* symbolize = add_symbolize(app, line.symbolize);
    const HooksCommand hooks = add_hooks(app, line);
    CLI::App* diff = add_diff(app, line.diff);
    CLI::App* gate = add_gate(app, line.gate);
    HelpCommand help;
    add_help(app, help);
    try {
        if (!arguments.empty() && arguments.front() == "run") {
            auto split = split_run_arguments({arguments.begin() + 1, arguments.end()});
            line.run.command = split.command;
            arguments = {"run"};
            arguments.insert(arguments.end(), split.own.begin(), split.own.end());
        }
        if (!arguments.empty() && arguments.front() == "gate") {
            const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
            if (dashes != arguments.end()) line.gate.command.assign(dashes + 1, arguments.end());
            arguments.erase(dashes, arguments.end());
        }
        parse(app, arguments);
        if (*gate && line.gate.command.empty())
            throw CLI::ValidationError("gate",
                                       "no command given: lastref gate [OPTIONS] -- COMMAND");
        if (*gate && line.gate.update_baseline && line.gate.baseline.empty())
            throw CLI::ValidationError("--update-baseline",
                                       "--baseline FILE says which file to write");
        if (report->count("--buffer")) line.report.buffer = parse_address(line.buffer);
        if (events->count("--buffer")) line.events.buffer = parse_address(line.buffer);
    } catch (const CLI::ParseError& error) {
        // Help and version are asked for; everything else is wrong usage.
        if (error.get_exit_code() == 0) return answer(app, error);
        return complain(app, arguments, error.what());
    }
    if (report->count("--top")) line.report.top = line.top;
    if (*help.app) return help_command(app, help);
    if (*run) return run_command(line.run);
    if (*report || *exported) return report_command(line.report);
    if (*info) return info_command(line.info);
    if (*pack) return pack_command(line.pack);
    if (*unpack) return unpack_command(line.unpack);
    if (*diff) return diff_command(line.diff);
    if (*gate) return gate_command(line.gate);
    if (*symbolize) return symbolize_command(line.symbolize);
    if (*hooks.list) return list_hooks();
    if (*hooks.check) return check_hooks(line.rules, line.program);
    if (*hooks.draft) return draft_hooks(line.library);
    return events_command(line.events);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return dispatch(argc, argv);
    } catch (const std::exception& error) {  // out of memory, and what no one foresaw
        std::cerr << "lastref: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
