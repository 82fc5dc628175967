"""The program finds the world as it would without lastref: descriptors, environment, signals."""

import os
import tempfile
import unittest

from side_by_side import Balance, SideBySide, process, shim_lines
from lastref_testing import plain, report


class Surroundings(SideBySide):
    def test_descriptors_environment_signals(self):
        self.side_by_side(process("surroundings"))

    def test_same_by_preload_alone(self):
        run = self.preloaded(process("surroundings"))
        self.assert_same(plain([process("surroundings")]), run)
        self.assertEqual(run.stderr, "")

    def closing(self, way):
        files = tempfile.mkdtemp(dir=self.directory)
        run = self.side_by_side(process("closed_descriptors"), way, files)
        self.assertEqual(Balance(run.traces[0]).of(6902), (300000, 300000))

    def test_program_that_closes_one_by_one(self):
        self.closing("loop")

    def test_program_that_closes_from_a_number_on(self):
        self.closing("closefrom")

    def test_program_that_closes_a_range(self):
        self.closing("close_range")

    def test_program_that_puts_files_over_all_descriptors(self):
        self.closing("dup2")

    def test_program_that_takes_every_number_there_is(self):
        """Then the trace can't be reached again: it ends early, and says so."""
        files = tempfile.mkdtemp(dir=self.directory)
        argv = [process("closed_descriptors"), "dup2-all", files]
        run = self.preloaded(*argv)
        self.assert_same(plain(argv), run)
        self.assert_says_at_most_once(run)
        found = report(run.traces)["processes"][0]
        seen = sum(Balance(run.traces[0]).of(6902))
        self.assertGreaterEqual(seen + found["lost"], 600000)

    def test_daemon(self):
        result = os.path.join(self.directory, "result")
        run = self.side_by_side(process("daemon"), result)
        with open(result, encoding="ascii") as file:
            self.assertEqual(file.read(), "descriptors 0 1 2 3\n")
        daemons = [b for b in map(Balance, run.traces) if b.begun[6801]]
        self.assertEqual([b.of(6801) for b in daemons], [(100000, 100000)])
        exits = sorted(p["exit"] for p in run.report["processes"])
        self.assertEqual(exits, ["status 0", "status 1", "status 3"])

    def test_daemon_without_stderr_is_told_nothing(self):
        """Where stderr was closed and its number given to a file, nothing is written there."""
        files = tempfile.mkdtemp(dir=self.directory)
        run = self.preloaded(process("closed_descriptors"), "close_range", files,
                             MAX_SIZE="1M", VERBOSE="1")
        self.assertEqual(run.status, 0)
        self.assertIn("100 files as we left them", run.stdout)

    def test_chroot(self):
        if os.geteuid() != 0:
            self.skipTest("chroot needs root")
        root = tempfile.mkdtemp(dir=self.directory)
        run = self.side_by_side(process("change_root"), root)
        self.assertEqual(run.status, 0)
        self.assertEqual(Balance(run.traces[0]).of(7102), (200000, 200000))
        self.assertEqual(os.listdir(root), [])

    def test_relative_path_and_chdir(self):
        """The default path is relative: it means the directory in which the program began."""
        work = tempfile.mkdtemp(dir=self.directory)
        run = self.preloaded(process("confined"), "chdir", directory=work, cwd=work,
                             OUT="here.%p.trace")
        self.assertEqual((run.status, run.stdout), (0, "done\n"))
        self.assertEqual(len(run.traces), 1)
        self.assertEqual(Balance(run.traces[0]).of(7301), (300000, 300000))
        self.assertEqual(shim_lines(run.stderr), [])

    def test_working_directory_removed(self):
        gone = tempfile.mkdtemp(dir=self.directory)
        run = self.preloaded(process("confined"), "folder-gone", gone)
        self.assertEqual((run.status, run.stdout), (0, "done\n"))
        self.assertEqual(Balance(run.traces[0]).of(7301), (300000, 300000))
        self.assert_complete(report(run.traces))

    def test_user_changed(self):
        if os.geteuid() != 0:
            self.skipTest("becoming another user needs root")
        run = self.preloaded(process("confined"), "setuid")
        self.assertEqual((run.status, run.stdout), (0, "done\n"))
        self.assertEqual(Balance(run.traces[0]).of(7301), (300000, 300000))
        self.assert_complete(report(run.traces))


if __name__ == "__main__":
    unittest.main()
