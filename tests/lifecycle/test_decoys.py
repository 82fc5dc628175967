"""Rows 26, 29, 32 and 34 of doc/lifecycle-bugs.md: what looks like a fault and is none. No accusation
may be made."""

import unittest

from lastref_testing import findings
from expected import LifecycleTest

NO_ACCUSATION = "held"


class Decoys(LifecycleTest):
    def assert_held(self, found, type, count, reason):
        held = findings(found, NO_ACCUSATION, type)
        self.assertEqual(sum(f["count"] for f in held), count, found["findings"])
        for finding in held:
            self.assert_no_culprit(finding)
            self.assertIn(reason, finding["reason"])

    def test_moved_buffers_keep_their_identity(self):
        found = self.report_of("moved_buffer")
        self.assert_findings(found, {})
        self.assertEqual(found["summary"]["buffers"], {"created": 160, "ended": 160, "leaked": 0})

    def test_bounded_cache(self):
        found = self.report_of("bounded_cache")
        self.assert_findings(found, {(NO_ACCUSATION, "CacheEntry"): 32})
        self.assert_held(found, "CacheEntry", 32, "cache")
        self.assertEqual(found["summary"]["buffers"]["created"], 2000)
        self.assertEqual(found["summary"]["buffers"]["ended"], 1968)
        self.assertEqual(found["summary"]["buffers"]["leaked"], 0)

    def test_in_flight_when_killed(self):
        found = self.report_of("in_flight", status=128 + 9)
        self.assert_findings(found, {(NO_ACCUSATION, "Frame"): 8})
        self.assert_held(found, "Frame", 8, "flight")
        self.assertEqual(found["summary"]["buffers"]["ended"], 1000)
        self.assertIn(found["processes"][0]["exit"], ("signal 9", "unknown"))

    def test_operations_that_no_hook_sees(self):
        found = self.report_of("unhooked_operation")
        self.assert_findings(found, {(NO_ACCUSATION, "UnseenHolder"): 10})
        self.assert_held(found, "UnseenHolder", 10, "unseen")
        self.assertEqual(found["summary"]["buffers"]["created"], 40)
        self.assertEqual(found["summary"]["buffers"]["ended"], 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
