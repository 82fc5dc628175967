"""What lastref says to its user: the shim's messages, names of traces, and the summary of a run."""

import os
import tempfile
import unittest

from side_by_side import SideBySide, process, shim_lines
from lastref_testing import info, lastref, traces_in

# Whose stderr is counted with its stdout, as scripts do.
COUNTED = f'"{process("hello")}" 2>&1 | wc -l; "{process("hello")}" 2>&1 | wc -l'


class Messages(SideBySide):
    def test_not_in_what_the_program_counts(self):
        run = self.preloaded("/bin/sh", "-c", COUNTED, DEPTH="deep")
        self.assertEqual(run.stdout, "1\n1\n")
        self.assertEqual(len(shim_lines(run.stderr)), 1, run.stderr)

    def test_not_where_stderr_is_stdout(self):
        run = self.preloaded("/bin/sh", "-c", f'exec "{process("hello")}" 2>&1', DEPTH="deep")
        self.assertEqual(run.stdout, "hello\n")
        said = [line for trace in run.traces for line in info(trace).splitlines()
                if line.startswith("said")]
        self.assertEqual(len(said), len(run.traces))
        for line in said:
            self.assertIn("ignored LASTREF_DEPTH=deep", line)

    def test_a_run_tells_at_its_end_what_could_not_be_said(self):
        run = self.run_program(["/bin/sh", "-c", f"exec 2>&1; {COUNTED}"],
                               env={"LASTREF_DEPTH": "deep"})
        self.assertEqual(run.stdout, "1\n1\n")
        self.assertEqual(run.stderr.count("LASTREF_DEPTH=deep"), 1, run.stderr)
        self.assertLessEqual(len(run.stderr.splitlines()), 10)

    def test_why_there_is_no_trace(self):
        for out, reason in (("/proc/absent/x", "No such file or directory; set LASTREF_OUT"),
                            ("/dev/null/x", "Not a directory; set LASTREF_OUT"),
                            (f"{self.directory}/{'n' * 300}", "File name too long; set")):
            with self.subTest(out):
                run = self.preloaded(process("hello"), OUT=out)
                self.assertEqual(run.stdout, "hello\n")
                self.assertEqual(len(shim_lines(run.stderr)), 1)
                self.assertIn(reason, run.stderr)


class Names(SideBySide):
    def many(self, name, count):
        work = tempfile.mkdtemp(dir=self.directory)
        script = f'i=0; while [ $i -lt {count} ]; do "{process("hello")}"; i=$((i+1)); done'
        run = self.preloaded("/bin/sh", "-c", script, OUT=os.path.join(work, name))
        self.assertEqual((run.status, run.stdout), (0, "hello\n" * count))
        self.assertEqual(run.stderr, "")
        self.assertEqual(len(traces_in(work)), count + 1)

    def test_many_processes_and_one_name(self):
        work = tempfile.mkdtemp(dir=self.directory)
        script = f'for i in $(seq 150); do "{process("hello")}" & done; wait'
        run = self.preloaded("/bin/sh", "-c", script, OUT=os.path.join(work, "one"))
        self.assertEqual(run.stdout, "hello\n" * 150)
        self.assertEqual(shim_lines(run.stderr), [])
        self.assertGreaterEqual(len(os.listdir(work)), 151)

    def test_many_processes_and_a_counter(self):
        self.many("%n.trace", 150)

    def test_one_process_id_many_times(self):
        """As where ids are used again: each execution is a trace of its own."""
        work = tempfile.mkdtemp(dir=self.directory)
        program = "import os, sys; n = int(sys.argv[1]); " \
                  "n and os.execv(sys.executable, [sys.executable, '-Sc', sys.argv[2], str(n - 1), sys.argv[2]])"
        run = self.preloaded("/usr/bin/python3", "-Sc", program, "30", program,
                             OUT=os.path.join(work, "%p.trace"))
        self.assertEqual(run.status, 0, run.stderr)
        self.assertEqual(len(os.listdir(work)), 31)

    def deep_folder(self, length):
        path = self.directory
        while len(path) < length - 100:
            path = os.path.join(path, "d" * 99)
        os.makedirs(path)
        return path

    def test_long_name(self):
        for length in (1226, 3900):
            with self.subTest(length):
                folder = self.deep_folder(length)
                out = os.path.join(folder, "n" * (length - len(folder) - 1))
                run = self.preloaded(process("hello"), OUT=out)
                self.assertEqual((run.stdout, run.stderr), ("hello\n", ""))
                self.assertEqual(os.listdir(folder), [os.path.basename(out)])

    def test_name_that_is_too_long(self):
        work = tempfile.mkdtemp(dir=self.directory)
        run = self.preloaded(process("hello"), OUT="/x" * 2500, cwd=work)
        self.assertEqual(run.stdout, "hello\n")
        self.assertRegex(run.stderr, r"^lastref: ignored LASTREF_OUT=.*4095 bytes")
        self.assertRegex(os.listdir(work)[0], r"^lastref\.hello\.\d+\.trace$")


class Summary(SideBySide):
    def test_children_without_a_trace_are_counted(self):
        static = process("hello_static")
        run = self.run_program(["/bin/sh", "-c", f'"{static}"; "{static}"; "{process("hello")}"'])
        self.assertEqual(run.stdout, "hello\n" * 3)
        self.assertRegex(run.stderr, r"2 child processes left no trace, first begun by \w+ \(pid")
        run = self.run_program(["/usr/bin/env", "-i", process("hello")])
        self.assertIn("executed a program that left no trace", run.stderr)

    def test_an_executed_program_without_a_trace_is_explained(self):
        script = f"import os; os.execv('{process('hello_static')}', ['hello'])"
        run = self.run_program(["/usr/bin/python3", "-c", script])
        self.assertEqual(run.stdout, "hello\n")
        self.assertRegex(run.stderr, r"hello_static is statically linked")

    def test_nothing_is_missing_where_all_is_traced(self):
        for argv in ([process("hello")], ["/bin/sh", "-c", f'"{process("hello")}"; :'],
                     [process("fork_child")], [process("launch"), "failing-vfork"]):
            with self.subTest(argv):
                self.assertNotIn("no trace", self.run_program(argv).stderr)

    def test_children_that_are_not_followed_are_not_missing(self):
        run = self.run_program(["/bin/sh", "-c", f'"{process("hello")}"; :'],
                               env={"LASTREF_FOLLOW_FORK": "0"})
        self.assertNotIn("no trace", run.stderr)

    def test_crash_before_the_trace(self):
        shim = os.path.join(os.path.dirname(process("hello")), "libcrashing_shim.so")
        run = lastref("run", "-o", os.path.join(self.directory, "x.trace"), "--", process("hello"),
                      env={"LASTREF_SHIM": shim})
        self.assertEqual(run.status, 128 + 11)
        self.assertRegex(run.stderr, r"SIGSEGV.*\n.*before the shim had begun")
        self.assertNotIn("LD_PRELOAD", run.stderr)


if __name__ == "__main__":
    unittest.main()
