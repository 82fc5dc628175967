"""The variables of the shim, its default, its privacy, and programs it must leave alone."""

import os
import shutil
import stat
import tempfile
import unittest

from side_by_side import SHIM, Balance, SideBySide, process, shim_lines
from lastref_testing import events, findings, lastref, plain, report


class Variables(SideBySide):
    def test_bad_values_are_named_once_and_the_default_is_used(self):
        bad = {
            "LEVEL": ("loud", "4", "-1", "simple paranoid"),
            "MAX_SIZE": ("much", "-5", "12q", "99999999999999999999999"),
            "DEPTH": ("deep", "0", "-3", "100000000000"),
            "FREE_STACKS": ("perhaps",),
            "FOLLOW_FORK": ("maybe",),
            "VERBOSE": ("aloud",),
            "SAMPLE_INTERVAL": ("0", "often"),
            "SAMPLE_BYTES": ("0", "some"),
        }
        for name, values in bad.items():
            for value in values:
                with self.subTest(f"{name}={value}"):
                    run = self.preloaded(process("fork_child"), **{name: value})
                    self.assert_same(plain([process("fork_child")]), run)
                    said = shim_lines(run.stderr)
                    self.assertEqual(len(said), 1, run.stderr)
                    self.assertIn("LASTREF_" + name, said[0])
                    self.assertEqual(len(run.traces), 2, "children are followed by default")
                    level = "simple" if name == "LEVEL" else "paranoid"
                    self.assertEqual(report(run.traces[0])["processes"][0]["level"], level)

    def test_empty_values_mean_the_default(self):
        run = self.preloaded(process("hello"), DEPTH="", MAX_SIZE="", FREE_STACKS="")
        self.assertEqual(run.stderr, "")
        self.assertEqual(Balance(run.traces[0]).of(7501), (100, 99))

    def test_levels(self):
        for value, level in (("simple", "simple"), ("ADVANCED", "advanced"), ("3", "paranoid"),
                             ("1", "simple"), ("Paranoid", "paranoid")):
            with self.subTest(value):
                run = self.preloaded(process("hello"), LEVEL=value)
                self.assertEqual((run.status, run.stdout, run.stderr), (0, "hello\n", ""))
                self.assertEqual(report(run.traces[0])["processes"][0]["level"], level)

    def test_sampling_changes_nothing_for_the_program(self):
        """A sample of the blocks: complete in itself, every end of a tracked block seen."""
        for name in ("thread_crowd", "signal_storm", "tls_destructors", "deep_exceptions",
                     "realloc_edges", "aligned", "fork_from_threads"):
            for level in ("simple", "advanced"):
                with self.subTest(program=name, level=level):
                    run = self.preloaded(process(name), LEVEL=level, SAMPLE_BYTES="2000")
                    self.assert_same(plain([process(name)]), run)
                    found = report(run.traces)
                    self.assert_complete(found)
                    self.assertEqual(findings(found, "heap-leak"), [])
                    self.assertEqual(findings(found, "double-free"), [])

    def test_disabled_makes_no_file(self):
        for value in ("disabled", "0", "Disabled"):
            with self.subTest(value):
                run = self.preloaded(process("fork_child"), LEVEL=value)
                self.assert_same(plain([process("fork_child")]), run)
                self.assertEqual(run.stderr, "")
                self.assertEqual(run.traces, [])

    def test_name_of_the_trace(self):
        directory = tempfile.mkdtemp(dir=self.directory)
        plain([process("hello")], cwd=directory, env={"LD_PRELOAD": SHIM})
        names = os.listdir(directory)
        self.assertEqual(len(names), 1)
        self.assertRegex(names[0], r"^lastref\.hello\.\d+\.trace$")

    def test_pattern_of_the_name(self):
        run = self.preloaded(process("hello"), OUT=os.path.join(self.directory, "a%%b-%e-%n.trace"))
        self.assertEqual(run.stderr, "")
        found = [n for n in os.listdir(self.directory) if n.endswith(".trace")]
        self.assertEqual(len(found), 1)
        self.assertRegex(found[0], r"^a%b-hello-\d+\.trace$")

    def test_free_stacks(self):
        def free_stacks(**variables):
            run = self.preloaded(process("hello"), **variables)
            return [bool(e.get("stack")) for e in events(run.traces[0], "--stacks")
                    if e["op"] == "free"]
        self.assertTrue(all(free_stacks()))
        without = free_stacks(FREE_STACKS="0")
        self.assertGreaterEqual(len(without), 99)
        self.assertFalse(any(without))

    def test_verbose_says_where_the_trace_is(self):
        run = self.preloaded(process("hello"), VERBOSE="1")
        self.assertEqual(run.stdout, "hello\n")
        self.assertIn(run.traces[0], run.stderr)


class Privacy(SideBySide):
    def test_nobody_else_can_read_a_trace(self):
        before = os.umask(0)
        try:
            run = self.preloaded(process("hello"))
        finally:
            os.umask(before)
        status = os.stat(run.traces[0])
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual(status.st_uid, os.geteuid())

    def test_contents_are_not_recorded(self):
        secret = "correct horse battery staple"
        run = self.preloaded("/bin/sh", "-c", "read line; x=$line; echo ${#x}", "sh",
                             cwd=self.directory, env={"SECRET": secret})
        for trace in run.traces:
            with open(trace, "rb") as file:
                self.assertNotIn(secret.encode(), file.read())

    def set_uid_copy(self, name):
        """A set-uid root copy of a program, beside a copy of the shim, where all may read."""
        if os.geteuid() != 0:
            self.skipTest("making a set-uid root program needs root")
        os.chmod(self.directory, 0o755)
        copy = shutil.copy(process(name), self.directory)
        os.chmod(copy, 0o4755)
        shutil.copy(SHIM, self.directory)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        said = plain([*as_nobody, copy]).stdout
        if name == "identity" and "effective 0" not in said:
            self.skipTest("the file system ignores set-uid")
        return copy, as_nobody

    def test_secure_execution_is_left_alone(self):
        copy, as_nobody = self.set_uid_copy("identity")
        out = os.path.join(self.directory, "out")
        os.mkdir(out)
        os.chmod(out, 0o777)
        shim = os.path.join(self.directory, os.path.basename(SHIM))
        variables = [f"LD_PRELOAD={shim}", f"LASTREF_OUT={out}/%e.%p.%n.trace",
                     "LASTREF_LEVEL=paranoid"]
        run = plain([*as_nobody, "/usr/bin/env", *variables, copy])
        self.assertEqual((run.status, run.stdout),
                         (0, "user 65534, effective 0, shim absent\n"))
        self.assertEqual(os.listdir(out), [])
        # The same file without the bit is traced: the test above tests something.
        os.chmod(copy, 0o755)
        run = plain([*as_nobody, "/usr/bin/env", *variables, copy])
        self.assertIn("shim present", run.stdout)
        self.assertEqual(len(os.listdir(out)), 1)

    def test_run_refuses_a_set_uid_program(self):
        copy, _ = self.set_uid_copy("identity")
        run = lastref("run", "--", copy)
        self.assertEqual(run.status, 2)
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn("set-uid", run.stderr)


class TwoPreloads(SideBySide):
    def test_another_preloaded_library_keeps_its_place(self):
        """LD_PRELOAD of the user's own survives `lastref run`."""
        other = os.path.join(os.path.dirname(process("hello")), "libsignal_safe_malloc.so")
        self.side_by_side(process("hello"), env={"LD_PRELOAD": other})

    def test_children_with_another_environment(self):
        """env -i takes the shim away from the child, and nothing else."""
        run = self.side_by_side("/usr/bin/env", "-i", process("hello"))
        self.assertEqual(len(run.traces), 1)


class Quiet(SideBySide):
    def test_nothing_on_stderr_when_all_is_well(self):
        run = self.preloaded(process("thread_crowd"))
        self.assertEqual(run.stderr, "")

    def test_stdout_and_stderr_closed(self):
        for shell in ("exec >&-", "exec 2>&-", "exec <&- >&- 2>&-"):
            with self.subTest(shell):
                argv = ["/bin/sh", "-c", f'{shell}; "$0"; exit $?', process("fork_child")]
                self.assert_same(plain(argv), self.preloaded(*argv))


if __name__ == "__main__":
    unittest.main()
