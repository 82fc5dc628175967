"""Addresses that go round between eight threads a million times: the lives must balance exactly."""

import re
import unittest

from lastref_testing import program, report
from expected import LifecycleTest

REUSES = 1000000


class AddressReuse(LifecycleTest):
    def heap_of(self, reuses):
        """(allocations that the program says it made, reuses, the heap's summary)"""
        run = self.run_program([program("lifecycle/address_reuse"), reuses])
        self.assert_exits(run)
        allocations, reused = map(int, re.fullmatch(r"allocations (\d+), reused (\d+)\n",
                                                    run.stdout).groups())
        self.assertEqual(len(run.traces), 1)
        found = report(run.traces)
        self.assert_complete(found)
        self.assert_findings(found, {})
        return allocations, reused, found["summary"]["heap"]

    def test_lives_balance_exactly(self):
        # Threads, stdio and the runtime allocate the same in both runs.
        few, none, base = self.heap_of(0)
        self.assertEqual(none, 0)
        many, reused, heap = self.heap_of(REUSES)
        self.assertGreaterEqual(reused, REUSES)
        self.assertEqual(heap["allocations"] - base["allocations"], many - few)
        self.assertEqual(heap["frees"] - base["frees"], many - few)
        self.assertEqual(heap["live_bytes"], base["live_bytes"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
