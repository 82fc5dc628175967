"""Every way to end: the status is the program's, the trace says it and holds all events."""

import unittest

from side_by_side import Balance, SideBySide, process
from lastref_testing import LASTREF, plain


class Exits(SideBySide):
    def check(self, way, said, handlers=0):
        run = self.side_by_side(process("exit_ways"), way)
        self.assertEqual(len(run.traces), 1)
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(9201), (50, 40))
        self.assertEqual(balance.of(9202), (handlers, handlers))
        self.assertIn(run.report["processes"][0]["exit"], said)
        return balance

    def test_return(self):
        self.check("return", ["status 30"], handlers=1)

    def test_exit(self):
        self.check("exit", ["status 30"], handlers=1)

    def test_exit_from_a_thread(self):
        self.check("exit-from-thread", ["status 31"], handlers=1)

    def test_main_thread_ends_first(self):
        balance = self.check("pthread-exit-from-main", ["status 0"], handlers=1)
        self.assertEqual(balance.of(9203), (1, 1))

    def test_quick_exit(self):
        self.check("quick_exit", ["status 32"], handlers=1)

    def test_underscore_exit(self):
        self.check("_exit", ["status 33"])
        self.check("_Exit", ["status 34"])

    def test_system_call(self):
        self.check("exit_group", ["status 35", "unknown"])

    def test_abort(self):
        self.check("abort", ["signal 6"])

    def test_caught_fault(self):
        self.check("caught-sigsegv", ["status 38"])

    # An end that no process can note about itself is noted by `lastref run`, or unknown.
    def test_kill(self):
        self.check("sigkill", ["signal 9", "unknown"])

    def test_fault(self):
        self.check("sigsegv", ["signal 11", "unknown"])
        self.check("trap", ["signal 4", "unknown"])

    def test_terminated(self):
        self.check("sigterm", ["signal 15", "unknown"])

    def test_same_without_the_command(self):
        """LD_PRELOAD alone: the real wait status, not its copy by `lastref run`."""
        for way in ("return", "quick_exit", "_exit", "exit_group", "abort", "sigkill", "sigsegv",
                    "sigterm", "trap", "exit-from-thread", "pthread-exit-from-main"):
            with self.subTest(way):
                run = self.preloaded(process("exit_ways"), way)
                self.assert_same(plain([process("exit_ways"), way]), run)
                self.assert_traces_complete(run.traces)
                self.assertEqual(run.stderr, "")

    def test_the_status_is_the_programs_where_the_command_can_say_nothing(self):
        for stderr in ("2>&-", "2>/dev/full"):
            for arguments, status in ((f"-- {process('exit_ways')} _exit", 33),
                                      (f"-- {process('exit_ways')} sigterm", 128 + 15),
                                      ("--level loud -- /bin/true", 2)):
                with self.subTest(f"{arguments} {stderr}"):
                    run = plain(["/bin/sh", "-c", f"exec {LASTREF} run {arguments} {stderr}"],
                                cwd=self.directory)
                    self.assertEqual(run.status, status)


if __name__ == "__main__":
    unittest.main()
