"""`lastref report --buffer`: the lives at one address."""

import json
import unittest

import lastref_testing
from expected import LifecycleTest


class OneLife(LifecycleTest):
    def setUp(self):
        super().setUp()
        ran = self.run_program([lastref_testing.program("lifecycle/over_release")])
        [self.trace] = ran.traces
        self.finding = lastref_testing.report([self.trace])["findings"][0]

    def lives(self, address):
        result = lastref_testing.lastref("report", self.trace, "--buffer", address, "--format", "json")
        self.assertEqual(result.status, 0, result.stderr)
        return json.loads(result.stdout)["lives"]

    def test_is_what_the_trace_tells(self):
        example = self.finding["example"]
        lives = self.lives(example["buffer"])
        self.assertIn([e["time_ns"] for e in example["events"]],
                      [[e["time_ns"] for e in life["events"]] for life in lives])
        begun = [life["events"][0]["time_ns"] for life in lives]
        self.assertEqual(begun, sorted(begun, reverse=True))
        creations = [e for e in lastref_testing.events(self.trace, "--buffer", example["buffer"])
                     if e["op"] == "create"]
        self.assertEqual(len(lives), len(creations))
        self.assertEqual({life["type"] for life in lives}, {c["type"] for c in creations})

    def test_text_shows_the_newest_record_first(self):
        result = lastref_testing.lastref("report", self.trace, "--buffer",
                                    self.finding["example"]["buffer"])
        self.assertEqual(result.status, 0, result.stderr)
        self.assertIn("newest first:", result.stdout)
        self.assertLess(result.stdout.index("#1 release"), result.stdout.index("create "))

    def test_none_there(self):
        result = lastref_testing.lastref("report", self.trace, "--buffer", "0x10")
        self.assertEqual(result.status, 2)
        self.assertIn("0x10", result.stderr)
        self.assertEqual(lastref_testing.lastref("report", self.trace, "--buffer", "ten").status, 2)


if __name__ == "__main__":
    unittest.main()
