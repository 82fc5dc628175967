"""Signal handlers that allocate, jumps, exceptions, and callers whose stack can't be walked."""

import re
import unittest

from side_by_side import Balance, SideBySide, process
from lastref_testing import events, plain


def handled(run):
    return int(re.search(r"^handled (\d+)$", run.stderr, re.MULTILINE).group(1))


class Signals(SideBySide):
    def test_storm_into_malloc_itself(self):
        run = self.side_by_side(process("signal_storm"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(107), (400000, 400000))
        self.assertEqual(balance.of(109), (handled(run), handled(run)))

    def test_alternate_stack_of_the_smallest_size(self):
        run = self.side_by_side(process("signal_alternate_stack"))
        self.assertEqual(Balance(run.traces[0]).of(7011), (5000, 5000))

    def test_storm_into_the_hooks(self):
        run = self.side_by_side(process("signal_hooks"))
        lives = {}
        for event in events(run.traces[0]):
            if event["op"] == "create":
                lives[event["type"]] = lives.get(event["type"], 0) + 1
        self.assertEqual(lives["Main"], 100000)
        self.assertEqual(lives["Handler"], handled(run))
        buffers = run.report["summary"]["buffers"]
        self.assertEqual(buffers["created"], sum(lives.values()))
        self.assertEqual(buffers["ended"], buffers["created"])
        self.assertEqual(buffers["leaked"], 0)


class Jumps(SideBySide):
    def test_long_jump(self):
        run = self.side_by_side(process("long_jump"))
        self.assertEqual(Balance(run.traces[0]).of(9001), (102000, 102000))
        self.assert_clean(run)

    def test_exceptions_through_many_frames(self):
        run = self.side_by_side(process("deep_exceptions"))
        self.assertEqual(Balance(run.traces[0]).of(9101), (20000, 20000))
        self.assert_clean(run)


class Stacks(SideBySide):
    def test_ten_thousand_frames(self):
        run = self.side_by_side(process("deep_recursion"))
        self.assertEqual(Balance(run.traces[0]).of(6601), (10000, 10000))

    def test_depth_is_cut_where_asked(self):
        run = self.preloaded(process("deep_recursion"), DEPTH="16")
        self.assert_same(plain([process("deep_recursion")]), run)
        lengths = {len([frame for frame in e["stack"] if not frame["inlined"]])
                   for e in events(run.traces[0], "--stacks")
                   if e["op"] == "malloc" and e["size"] == 6601}
        self.assertLessEqual(max(lengths), 16)

    def test_callers_that_no_rule_describes(self):
        run = self.side_by_side(process("unusual_callers"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(6701), (7, 7))
        self.assertEqual(balance.of(6702), (5, 5))
        self.assertEqual(balance.of(6703), (5, 5))
        self.assertEqual(balance.of(6704), (2, 2))
        self.assertEqual(balance.of(6705), (1, 1))


if __name__ == "__main__":
    unittest.main()
