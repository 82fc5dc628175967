// What --help says after the options: examples of each verb, and its exit statuses.
#ifndef LASTREF_ANALYZER_EXAMPLES_H
#define LASTREF_ANALYZER_EXAMPLES_H

namespace lastref {

inline constexpr const char* kExamples = R"(
Examples:
  lastref run -o game.trace ./server --port 9000
        run a program and record its buffers, heap blocks and mappings
  lastref report game.trace
        say what never ended, and who held it last
  lastref report game.trace --format json -o report.json
        the same for programs to read

'lastref help COMMAND' shows a command's manual. Exit status: 2 for wrong usage, 3 for a trace that can't be read.)";

inline constexpr const char* kHelpExamples = R"(
Examples:
  lastref help run
        on a terminal the manual page lastref-run(1), otherwise the text of lastref run --help)";

inline constexpr const char* kRunExamples = R"(
Examples:
  lastref run ./server --port 9000
        every event with its stack, in ./lastref.server.PID.trace
  lastref run --level simple -o /var/tmp/%e.%p.trace -- ./server -v
        a sample only, cheap enough for production; %e program, %p process id, %n a counter

Exit status: the program's own; 128 + N where signal N ended it; 2 where it could not be run.
Traces are never overwritten. Children get a file each.)";

inline constexpr const char* kReportExamples = R"(
Examples:
  lastref report lastref.server.4711.trace
  lastref report lastref.*.trace --top 5
        all processes of a run in one report, the five worst findings
  lastref report game.trace --buffer 0x7f12a4001230
        the lives of the buffers that were at this address, newest first
  lastref report game.trace --format json | jq '.findings[0].culprit'

Exit status: 0 however much is found; 2 for wrong usage or a report that can't be written; 3 for a
trace that can't be read.)";

inline constexpr const char* kExportExamples = R"(
Examples:
  lastref export server.trace --format pprof -o server.pb.gz && go tool pprof -top server.pb.gz
  lastref export server.trace --format folded --weight peak | flamegraph.pl > peak.svg
  lastref export server.trace --format sqlite -o server.db && sqlite3 -box server.db
        events, lives, stacks, findings in tables; '.schema' explains them, and
        'SELECT * FROM examples' has queries to begin with
  lastref export server.trace --format perfetto -o server.pftrace
        for ui.perfetto.dev: lives as slices, used bytes and live counts as counters

Several traces at once become one profile: the same place of the same module is one. In databases and
in Perfetto processes stay apart.
Exit status: 2 for an output that can't be written, 3 for a trace that can't be read.)";

inline constexpr const char* kInfoExamples = R"(
Examples:
  lastref info lastref.server.4711.trace
        header, counters by kind of event, losses, modules, threads)";

inline constexpr const char* kEventsExamples = R"(
Examples:
  lastref events game.trace | head
        the first records, one JSON object a line
  lastref events game.trace --buffer 0x7f12a4001230 --stacks
        the whole life of what was at one address, with stacks)";

inline constexpr const char* kPackExamples = R"(
Examples:
  lastref pack server.trace
        server.trace.packed holds the same in a fraction of the space; every command reads it
  lastref pack server.trace -o /backup/server.packed && rm server.trace

The trace of a process that still runs is refused. Damage is kept as it is. What was written is read
back and compared before it gets its name; an existing file is never overwritten.
Exit status: 2 where the output can't be made, 3 for a trace that can't be read.)";

inline constexpr const char* kUnpackExamples = R"(
Examples:
  lastref unpack server.trace.packed
        server.trace again, for tools that only know plain traces
  lastref unpack server.packed -o server.trace

Exit status: 2 where the output can't be made, 3 for a packed trace that can't be read as a whole.)";

inline constexpr const char* kSymbolizeExamples = R"(
Examples:
  lastref symbolize server.trace
        write all names into the trace: it can now be read on any machine
  lastref symbolize server.trace --sysroot /mnt/target --debug-dir /srv/debug
        with the files and debug files of the machine that made it; DEBUGINFOD_URLS is honoured

Exit status: 2 where the trace can't be written, 3 where it can't be read.)";

inline constexpr const char* kHooksExamples = R"(
Examples:
  lastref hooks list
        the built-in packs
  lastref hooks check ffmpeg /usr/bin/ffmpeg
        what each rule of a pack, or of a rule file, would hook in a program, and why not
  lastref hooks new /usr/lib/libfoo.so.1 > foo.rules
        a draft of rules, to be completed by hand

Exit status of check: 0; 1 where a rule finds no function or one that can't be hooked; 2 for errors.)";

inline constexpr const char* kDiffExamples = R"(
Examples:
  lastref diff before.trace after.trace
        which findings are new, gone, grown, shrunk since the change, and the gauges of both

Findings are the same where kind, type, cause and function names are: rebuilt binaries compare.
Exit status: 0 whatever changed; 2 where the output can't be written; 3 for a trace that can't be
read.)";

inline constexpr const char* kGateExamples = R"(
Examples:
  lastref gate -- meson test -C build
        run a test suite; every process is traced; fail where anything leaks
  lastref gate --baseline leaks.txt --update-baseline -- ./tests
        accept what leaks today; without --update-baseline only what is new or has grown fails
  lastref gate --budget heap=64K --suppressions known.supp --junit leaks.xml -- ./tests

In each run a planted control proves that a leak would have been found.
Exit status: 0 pass; 1 new leaks or a budget exceeded; 2 wrong usage, or an output that can't be
written; 3 inconclusive: a trace is incomplete or missing, coverage too low, the control not found; else
the command's own where that failed (124 where its time was over), unless --keep-going.)";

}  // namespace lastref

#endif  // LASTREF_ANALYZER_EXAMPLES_H
