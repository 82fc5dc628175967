"""Children: by every way to make one, with exec and without."""

import unittest

from side_by_side import Balance, SideBySide, pid_in_name, process
from lastref_testing import events, findings, plain, report


class Forks(SideBySide):
    def test_child_without_exec(self):
        run = self.side_by_side(process("fork_child"))
        self.assertEqual(len(run.traces), 2)
        parent, child = run.traces
        balance = Balance(parent)
        self.assertEqual(balance.of(1234), (10, 10))
        self.assertEqual(balance.of(4321), (0, 0))
        balance = Balance(child)
        self.assertEqual(balance.of(1234), (0, 0))
        self.assertEqual(balance.of(4321), (10, 9))
        self.assertEqual([e["op"] for e in events(parent)].count("fork"), 1)

        leaks = findings(report(child), "heap-leak")
        sizes = [(f["count"], f["bytes"]) for f in leaks]
        self.assertIn((1, 4321), sizes)
        self.assertNotIn(1234, [bytes // count for count, bytes in sizes],
                         "an inherited block is not the child's leak")
        self.assertEqual([f for f in findings(report(parent), "heap-leak")
                          if f["bytes"] // f["count"] in (1234, 4321)], [])
        self.assertEqual(report(child)["processes"][0]["exit"], "status 7")
        self.assertEqual(report(parent)["processes"][0]["exit"], "status 0")

    def test_inherited_blocks_freed_by_the_child_are_no_double_frees(self):
        run = self.side_by_side(process("fork_child"))
        for kind in ("double-free", "over-release", "use-after-release"):
            self.assertEqual(findings(run.report, kind), [])

    def test_five_generations(self):
        run = self.side_by_side(process("fork_generations"))
        self.assertEqual(len(run.traces), 5)
        for generation, trace in enumerate(run.traces):
            balance = Balance(trace)
            for other in range(5):
                expected = (1, 1) if other == generation else (0, 0)
                self.assertEqual(balance.of(5100 + other), expected, (generation, other))

    def test_children_of_a_parent_whose_threads_allocate(self):
        run = self.side_by_side(process("fork_from_threads"))
        self.assertEqual(len(run.traces), 41)
        self.assertEqual(len({pid_in_name(trace) for trace in run.traces}), 41)
        for child in run.traces[1:]:
            balance = Balance(child)
            self.assertEqual(balance.of(5201), (100, 100), child)
            self.assertEqual(balance.of(5301), (0, 0), child)
        # The parent's events are too many to read one by one.
        parent = report(run.traces[0])
        self.assertEqual([f for f in findings(parent, "heap-leak") if f["bytes"] % 5301 == 0], [])
        self.assertEqual(findings(parent, "double-free"), [])
        self.assertGreater(parent["summary"]["heap"]["allocations"], 1000)

    def test_children_left_alone(self):
        run = self.preloaded(process("fork_child"), FOLLOW_FORK="0")
        self.assertEqual(run.status, 0)
        self.assertEqual(len(run.traces), 1)
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(1234), (10, 10))
        self.assertEqual(balance.of(4321), (0, 0))


class RawChildren(SideBySide):
    """Made by a system call: no handler of the C library's runs."""

    def check(self, way):
        run = self.side_by_side(process("raw_child"), way)
        parent = Balance(run.traces[0])
        self.assertEqual(parent.of(6007), (20, 20))
        self.assertEqual(parent.of(6006), (0, 0), "the child wrote into its parent's trace")
        self.assertEqual(len(run.traces), 2)
        child = Balance(run.traces[1])
        self.assertEqual(child.of(6006), (20, 20))
        self.assertEqual(child.of(6007), (0, 0))

    def test_fork(self):
        self.check("fork")

    def test_clone(self):
        self.check("clone")

    def test_clone3(self):
        self.check("clone3")

    def test_clone_function(self):
        self.check("clone-function")


class Launches(SideBySide):
    """A program started by another one has a trace of its own."""

    def check(self, way, started=1, others=0):
        run = self.side_by_side(process("launch"), way)
        balances = [Balance(trace) for trace in run.traces]
        of_launcher = [b for b in balances if b.begun[8001]]
        of_started = [b for b in balances if b.begun[8003]]
        self.assertEqual(len(of_launcher), 1)
        self.assertEqual(len(of_started), started)
        self.assertEqual(of_launcher[0].of(8001), (1, 1))
        self.assertEqual(of_launcher[0].of(8002), (0, 0) if way == "exec" else (2, 2))
        self.assertEqual(of_launcher[0].of(8003), (0, 0))
        for balance in of_started:
            self.assertEqual(balance.of(8003), (3, 3))
            self.assertEqual(balance.of(8001), (0, 0))
        self.assertEqual(len(balances), 1 + started + others)
        return run

    def test_vfork(self):
        self.check("vfork")

    def test_posix_spawn(self):
        self.check("posix_spawn")

    def test_posix_spawnp(self):
        self.check("posix_spawnp")

    def test_clone_that_shares_memory(self):
        self.check("clone-vm")

    def test_exec_in_place(self):
        run = self.check("exec")
        exits = sorted(p["exit"] for p in run.report["processes"])
        self.assertEqual(exits, ["status 33", "unknown"])

    # A forked child that only runs exec may have a trace of its own or not: it did nothing.
    def test_fork(self):
        run = self.side_by_side(process("launch"), "fork")
        self.assert_started_once(run)

    def test_execveat(self):
        run = self.side_by_side(process("launch"), "execveat")
        self.assert_started_once(run)

    def test_system(self):
        run = self.side_by_side(process("launch"), "system")
        self.assert_started_once(run)

    def test_popen(self):
        run = self.side_by_side(process("launch"), "popen")
        self.assert_started_once(run)

    def assert_started_once(self, run):
        balances = [Balance(trace) for trace in run.traces]
        self.assertEqual([b.of(8003) for b in balances if b.begun[8003]], [(3, 3)])
        launcher = [b for b in balances if b.begun[8001]]
        self.assertEqual([b.of(8002) for b in launcher], [(2, 2)])

    def test_left_alone(self):
        for way in ("fork", "vfork", "posix_spawn", "posix_spawnp", "clone-vm", "execveat", "system",
                    "popen"):
            with self.subTest(way):
                run = self.preloaded(process("launch"), way, FOLLOW_FORK="0")
                self.assert_same(plain([process("launch"), way]), run)
                self.assertEqual(len(run.traces), 1, "the launcher's own")
                self.assertEqual(Balance(run.traces[0]).of(8001), (1, 1))

    def test_what_replaces_a_program_is_no_child(self):
        run = self.preloaded(process("launch"), "exec", FOLLOW_FORK="0")
        self.assertEqual(len(run.traces), 2)
        run = self.run_program([process("launch"), "vfork"], env={"LASTREF_FOLLOW_FORK": "0"})
        self.assertEqual(len(run.traces), 1)

    def test_nothing_to_start(self):
        self.check("failing-vfork", started=0)
        self.check("failing-posix_spawn", started=0)
        run = self.check("failing-exec", started=0)
        self.assertEqual(run.report["processes"][0]["exit"], "status 0",
                         "an exec that failed is not the end")


if __name__ == "__main__":
    unittest.main()
