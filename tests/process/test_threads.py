"""Programs whose threads come, go, and free what others allocated."""

import os
import re
import unittest

from side_by_side import Balance, SideBySide, process
from lastref_testing import events, info


class Threads(SideBySide):
    def test_thousands_that_come_and_go(self):
        run = self.side_by_side(process("thread_churn"))
        self.assertEqual(len(run.traces), 1)
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(1001), (40000, 40000))
        self.assert_clean(run)

    def test_sixty_four_at_once(self):
        run = self.side_by_side(process("thread_crowd"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(1003), (64 * 200 * 8, 64 * 200 * 8))
        threads = {e["thread"] for e in events(run.traces[0])
                   if e["op"] == "malloc" and e["size"] == 1003}
        self.assertEqual(len(threads), 64)
        self.assert_clean(run)

    def test_names(self):
        run = self.side_by_side(process("thread_names"))
        threads = {e["size"]: e["thread"] for e in events(run.traces[0])
                   if e["op"] == "malloc" and 2000 <= e["size"] <= 2004}
        self.assertEqual(sorted(threads), [2000, 2001, 2002, 2003, 2004])
        self.assertEqual(len(set(threads.values())), 5, "each on a thread of its own")
        for name in ("worker-1", "worker-2", "worker-3", "worker-4"):
            self.assertIn(name, info(run.traces[0]))

    def test_destructors_that_free_after_the_thread_function(self):
        run = self.side_by_side(process("tls_destructors"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(3001), (300, 300))
        self.assertEqual(balance.of(3002), (600, 600))
        self.assertEqual(balance.of(3003), (301, 301))
        self.assert_clean(run)

    def test_coroutines_on_their_own_stacks(self):
        run = self.side_by_side(process("coroutines"))
        self.assertEqual(Balance(run.traces[0]).of(6501), (20000, 20000))
        self.assert_clean(run)


class ForeignStacks(SideBySide):
    """Stacks that are not the thread's own: whether their pages can be read is asked once for each
    page, not with each event."""

    def probes(self, name):
        run = self.preloaded(process("count_probes"), process(name))
        self.assertEqual(run.status, 0, repr(run))
        return int(re.search(r"(\d+) probes", run.stderr).group(1))

    def stacks(self, run, size):
        return [[frame["function"] for frame in event["stack"]]
                for event in events(run.traces[0], "--stacks")
                if event["op"] == "malloc" and event["size"] == size]

    def test_many_coroutines(self):
        run = self.side_by_side(process("many_coroutines"))
        stacks = self.stacks(run, 6611)
        self.assertEqual((len(stacks), {tuple(stack) for stack in stacks}),
                         (5000, {("descend",) * 4 + ("run", "")}))
        # Four pages of each of 500 stacks, and again where memory was unmapped.
        self.assertLess(self.probes("many_coroutines"), 5000)

    def test_split_stacks(self):
        if not os.path.exists(process("split_stack")):
            self.skipTest("the compiler has no -fsplit-stack")
        run = self.side_by_side(process("split_stack"))
        balance = Balance(run.traces[0])
        self.assertEqual((balance.of(6601), balance.of(6602)), ((4000, 4000), (4000, 4000)))
        # Some hundred frames' pages for each of 16,000 events, if they were not remembered.
        self.assertLess(self.probes("split_stack"), 16000)


if __name__ == "__main__":
    unittest.main()
