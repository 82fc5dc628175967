"""Resources of the shim are missing, full, in the way or forbidden: the program goes on all the same,
and the trace or its absence is explained in one line at most. Every lost event is counted."""

import contextlib
import os
import subprocess
import tempfile
import unittest

from side_by_side import Balance, SideBySide, process, preloading, shim_lines
from lastref_testing import LASTREF, events, lastref, plain, report, text_report, traces_in


@contextlib.contextmanager
def small_filesystem(test, options):
    """A tmpfs of its own, mounted for the time of the test."""
    mountpoint = tempfile.mkdtemp(dir=test.directory)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "lastref-test", mountpoint],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if mounted.returncode != 0:
        test.skipTest(f"mounting is not permitted here: {mounted.stderr.decode().strip()}")
    try:
        yield mountpoint
    finally:
        subprocess.run(["umount", "-l", mountpoint], check=True)


class Hostile(SideBySide):
    def confined(self, way, directory=None, prefix=(), **variables):
        """`confined WAY` under the shim, with a prefix that limits it from outside."""
        directory = directory or tempfile.mkdtemp(dir=self.directory)
        environment = preloading(directory, **variables)
        # The prefix itself is not traced: the variables are set behind it.
        argv = [*prefix, "/usr/bin/env", *(f"{k}={v}" for k, v in environment.items()),
                process("confined"), way]
        run = plain(argv)
        run.traces = traces_in(directory)
        self.assertEqual((run.status, run.stdout), (0, "done\n"), repr(run))
        self.assert_says_at_most_once(run)
        return run

    def assert_no_trace_but_a_reason(self, run):
        self.assertEqual(len(shim_lines(run.stderr)), 1, run.stderr)

    def assert_made_way(self, run, path):
        """A file in the way of `path` stays there. The trace is beside it, or a line says why."""
        beside = [name for name in os.listdir(os.path.dirname(path))
                  if name.startswith(os.path.basename(path) + ".")]
        if beside:
            trace = os.path.join(os.path.dirname(path), beside[0])
            self.assertFalse(os.path.islink(trace))
            self.assertEqual(Balance(trace).of(7301), (300000, 300000))
            os.remove(trace)
        else:
            self.assert_no_trace_but_a_reason(run)
            self.assertIn(os.path.basename(path), run.stderr)

    def assert_honest(self, run):
        """Where there is a trace, what it lacks is counted, and no verdict of 'clean' is drawn."""
        self.assertLessEqual(len(run.traces), 1)
        for trace in run.traces:
            found = report(trace)["processes"][0]
            balance = Balance(trace)
            seen = sum(sum(balance.of(size)) for size in (7300, 7301, 7302))
            done = 2 * (1000 + 300000 + 2 * 1000)
            self.assertLessEqual(seen, done)
            if seen < done:
                self.assertFalse(found["complete"])
                self.assertGreaterEqual(found["lost"], done - seen)
                self.assertNotRegex(text_report(trace).splitlines()[0].lower(), r"^clean")
            return balance, found
        self.assert_no_trace_but_a_reason(run)
        return None, None


class Disk(Hostile):
    def test_full_after_a_while(self):
        for size in ("64k", "256k", "1m"):
            with self.subTest(size), small_filesystem(self, f"size={size}") as directory:
                run = self.confined("none", directory)
                _, found = self.assert_honest(run)
                if found:
                    self.assertFalse(found["complete"], "300,000 pairs fit nowhere")

    def test_full_from_the_start(self):
        with small_filesystem(self, "size=64k") as directory:
            with open(os.path.join(directory, "filler"), "wb") as filler:
                with contextlib.suppress(OSError):
                    filler.write(bytes(1 << 20))
                with contextlib.suppress(OSError):
                    filler.flush()
            self.assert_honest(self.confined("none", directory))

    def test_no_inodes(self):
        with small_filesystem(self, "nr_inodes=1") as directory:
            run = self.confined("none", directory)
            self.assertEqual(os.listdir(directory), [])
            self.assert_no_trace_but_a_reason(run)

    def test_read_only(self):
        if os.geteuid() == 0:
            with small_filesystem(self, "ro") as directory:
                self.assert_no_trace_but_a_reason(self.confined("none", directory))
        else:
            directory = tempfile.mkdtemp(dir=self.directory)
            os.chmod(directory, 0o555)
            self.assert_no_trace_but_a_reason(self.confined("none", directory))

    def test_no_such_directory(self):
        run = self.confined("none", OUT=os.path.join(self.directory, "absent", "x.trace"))
        self.assert_no_trace_but_a_reason(run)
        self.assertIn("absent", run.stderr)

    def test_file_in_the_way(self):
        path = os.path.join(self.directory, "taken.trace")
        with open(path, "w", encoding="ascii") as file:
            file.write("mine")
        run = self.confined("none", OUT=path)
        self.assert_made_way(run, path)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")

    def test_symbolic_link_in_the_way(self):
        target = os.path.join(self.directory, "target")
        link = os.path.join(self.directory, "link.trace")
        os.symlink(target, link)
        run = self.confined("none", OUT=link)
        self.assert_made_way(run, link)
        self.assertFalse(os.path.exists(target), "a link was followed")
        self.assertTrue(os.path.islink(link))
        with open(target, "w", encoding="ascii") as file:
            file.write("mine")
        self.assert_made_way(self.confined("none", OUT=link), link)
        with open(target, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")

    def test_directory_and_pipe_in_the_way(self):
        path = os.path.join(self.directory, "folder.trace")
        os.mkdir(path)
        self.assert_made_way(self.confined("none", OUT=path), path)
        path = os.path.join(self.directory, "pipe.trace")
        os.mkfifo(path)
        self.assert_made_way(self.confined("none", OUT=path), path)

    def test_size_limit(self):
        run = self.confined("none", MAX_SIZE="1M")
        _, found = self.assert_honest(run)
        self.assertFalse(found["complete"])
        self.assertLessEqual(os.stat(run.traces[0]).st_size, 1 << 20)

    def test_trace_removed_while_it_is_written(self):
        """Programs clean up /tmp; nothing is lost but the file."""
        directory = tempfile.mkdtemp(dir=self.directory)
        run = plain(["/bin/sh", "-c", 'rm -f "$1"/sh.*.trace && echo done', "sh", directory],
                    env=preloading(directory))
        self.assertEqual((run.status, run.stdout), (0, "done\n"))
        self.assert_says_at_most_once(run)


class Limits(Hostile):
    def test_file_size_set_by_the_program(self):
        self.assert_honest(self.confined("fsize"))

    def test_file_size_from_the_start(self):
        for size in (0, 4096, 100000, 1000000):
            with self.subTest(size):
                self.assert_honest(self.confined("none", prefix=["prlimit", f"--fsize={size}"]))

    def test_address_space_set_by_the_program(self):
        self.assert_honest(self.confined("as"))

    def test_address_space_from_the_start(self):
        for mebibytes in (32, 64, 256):
            prefix = ["prlimit", f"--as={mebibytes << 20}"]
            with self.subTest(mebibytes):
                self.assertEqual(plain([*prefix, process("confined"), "none"]).status, 0)
                self.assert_honest(self.confined("none", prefix=prefix))

    def test_number_of_files(self):
        self.assert_honest(self.confined("nofile"))
        self.assert_honest(self.confined("none", prefix=["prlimit", "--nofile=4"]))

    def test_memory_locked(self):
        self.assert_honest(self.confined("none", prefix=["prlimit", "--memlock=0"]))

    def test_stack(self):
        self.assert_honest(self.confined("none", prefix=["prlimit", f"--stack={128 << 10}"]))


class Sandboxes(Hostile):
    def check(self, way):
        self.assertEqual(plain([process("confined"), way]).status, 0)
        run = self.confined(way)
        balance, _ = self.assert_honest(run)
        self.assertIsNotNone(balance, "the trace was begun before the sandbox")
        self.assertEqual(balance.of(7300), (1000, 1000))

    def test_openat_refused(self):
        self.check("openat-errno")
        self.check("openat-errno-call")

    def test_openat_kills(self):
        self.check("openat-kill")
        self.check("openat-kill-call")

    def test_openat_traps(self):
        self.check("openat-trap")

    def test_all_that_a_file_needs_kills(self):
        self.check("files-kill")

    def test_time_stamp_counter_forbidden(self):
        """prctl(PR_SET_TSC): reading the counter is a fault from then on."""
        self.check("no-tsc")

    def test_strict_mode(self):
        """Nothing but read, write and exit, also at the end of the process; and no time-stamp
        counter: the kernel takes that away together with the system calls."""
        run = self.confined("strict")
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(7300), (1000, 1000))
        lost = report(run.traces)["processes"][0]["lost"]
        self.assertGreaterEqual(sum(balance.of(7301)) + lost, 2000)

    def sandboxed_plugins(self, pairs):
        expected = plain([process("sandboxed_plugins"), str(pairs)])
        self.assertEqual((expected.status, expected.stdout), (0, "100 rounds\n"), repr(expected))
        run = self.preloaded(process("sandboxed_plugins"), str(pairs))
        self.assert_same(expected, run)
        self.assert_says_at_most_once(run)
        trace, = run.traces
        return trace

    def test_libraries_that_come_and_go(self):
        """The shim makes no system call after the filter, also where it looks at modules; and knows
        them all the same. Where it has to look without _dl_find_object it knows none that came
        later, but never takes one for another."""
        trace = self.sandboxed_plugins(1000)
        self.assert_traces_complete([trace])
        libraries = {3331: set(), 3332: set()}
        count = {3331: 0, 3332: 0, 7301: 0}
        for event in events(trace, "--stacks"):
            if event["op"] != "malloc" or event["size"] not in count:
                continue
            count[event["size"]] += 1
            if event["size"] in libraries:
                frame = event["stack"][0]
                libraries[event["size"]].add(
                    (frame.get("function"), os.path.basename(frame.get("module") or "")))
        self.assertEqual(count, {3331: 101, 3332: 100, 7301: 1000})
        unknown = {("", "")} if os.environ["LASTREF_MODULE_LOOKUP"] == "own" else set()
        self.assertEqual(libraries[3331] - unknown, {("alpha_allocate", "libplugin_alpha.so")})
        self.assertEqual(libraries[3332] - unknown,
                         set() if unknown else {("beta_allocate", "libplugin_beta.so")})

    # All system calls of x86-64: the table has a hole between 335 and 423.
    NUMBERS = ((0, 334), (424, 462))

    def check_children(self, way):
        """Whatever call a filter kills for: what a child of the process, or the program that it
        executes, survives without the shim it survives with it."""
        for first, last in self.NUMBERS:
            argv = [process("confined_children"), way, "/bin/true", str(first), str(last)]
            expected = plain(argv)
            self.assertEqual(expected.status, 0, repr(expected))
            run = self.preloaded(*argv, MAX_SIZE="1M")
            self.assert_same(expected, run)
        return run

    def test_children_forked_in_a_sandbox(self):
        run = self.check_children("fork")
        counted = [sum(process.get("confined_children", 0) for process in report(t)["processes"])
                   for t in run.traces]
        self.assertEqual(counted, [0] + [1] * 39, "each child has one that is not recorded")

    def test_children_cloned_in_a_sandbox(self):
        self.check_children("clone")

    def test_programs_executed_by_vfork_in_a_sandbox(self):
        self.check_children("vfork")

    def test_programs_spawned_in_a_sandbox(self):
        self.check_children("spawn")

    def test_programs_executed_in_a_sandbox(self):
        self.check_children("exec")

    def test_a_program_started_in_a_sandbox(self):
        """It is not recorded, unless its user says that the sandbox permits it, or all around it
        are in the same: number 462 is of no call."""
        argv = [process("confined_children"), "exec", process("hello"), "462", "462"]
        traced = lambda run: any(os.path.basename(t).startswith("hello.") for t in run.traces)
        self.assertFalse(traced(self.preloaded(*argv)))
        self.assertFalse(traced(self.run_program(argv)))
        self.assertTrue(traced(self.preloaded(*argv, CONFINED="1")))
        self.assertTrue(traced(self.preloaded(*argv, SECCOMP_FILTERS="1")))
        said = self.preloaded(*argv, VERBOSE="1").stderr
        self.assertIn("started in a seccomp sandbox", said)

    def test_a_recorder_in_the_same_sandbox(self):
        """`lastref run` itself in a sandbox, as in a container: what it starts is recorded."""
        out = os.path.join(self.directory, "inside.trace")
        script = os.path.join(self.directory, "inside")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec {LASTREF} run -o {out} -- {process('hello')}\n")
        os.chmod(script, 0o755)
        run = plain([process("confined_children"), "exec", script, "462", "462"])
        self.assertIn("462: 0", run.stdout, repr(run))
        self.assertTrue(os.path.exists(out))

    def test_more_than_was_reserved(self):
        """Events that do not fit into the space reserved before the filter are counted."""
        pairs = 4_000_000
        trace = self.sandboxed_plugins(pairs)
        found = report(trace)
        one = found["processes"][0]
        self.assertFalse(one["complete"])
        self.assertGreater(one["lost"], 0)
        self.assertGreaterEqual(one["events"] + one["lost"], 2 * (pairs + 201))
        self.assertLess(found["summary"]["heap"]["allocations"], pairs)
        self.assertIn("seccomp", " ".join(one["warnings"]))
        self.assertNotRegex(text_report(trace).splitlines()[0].lower(), r"^clean")


class Readers(Hostile):
    def test_report_while_the_program_runs(self):
        directory = tempfile.mkdtemp(dir=self.directory)
        counters = os.path.join(self.directory, "counters")
        with open(counters, "wb") as file:
            file.write(bytes(4096))
        child = subprocess.Popen([process("progress"), counters, "2"],
                                 env={**os.environ, **preloading(directory)})
        try:
            with open(counters, "rb", buffering=0) as file:
                while int.from_bytes(os.pread(file.fileno(), 8, 0), "little") < 20000:
                    self.assertIsNone(child.poll())
                    os.sched_yield()
            trace = traces_in(directory)[0]
            found = report(trace)
            self.assertEqual(found["processes"][0]["exit"], "running")
            self.assertGreaterEqual(found["summary"]["heap"]["allocations"], 20000)
            self.assertEqual(lastref("info", trace).status, 0)
        finally:
            child.kill()
            child.wait()


if __name__ == "__main__":
    unittest.main()
