"""The levels: what each records, and that the estimates of the sampling ones are right."""

import collections
import os
import unittest

from lastref_testing import clean_environment, events, findings, plain, report
from side_by_side import SideBySide, process

BLOCKS = 30000
BYTES = 30 * sum(range(500, 1500))
BUFFERS = 10000
# A wrong alarm once in 500 million runs; a bias of a fifth is found for certain.
SIGMAS = 6


class Levels(SideBySide):
    def traced(self, level, **environment):
        run = self.run_program([process("sampled")], level=level,
                               env={f"LASTREF_{k}": v for k, v in environment.items()})
        self.assertEqual((run.status, run.stdout), (0, "kept 30000 blocks and 10000 buffers\n"))
        return run

    def ops(self, run):
        return collections.Counter(event["op"] for event in events(run.traces[0]))

    def assert_estimates(self, run):
        found = report(run.traces)
        kept = [f for f in findings(found, "heap-leak")
                if f["created"][0]["function"] == "keep_block"]
        self.assertEqual(len(kept), 1)
        error = kept[0]["standard_error"]
        self.assertLess(error["bytes"], BYTES / 5, "too small a sample to show a bias")
        self.assertAlmostEqual(kept[0]["count"], BLOCKS, delta=SIGMAS * error["count"])
        self.assertAlmostEqual(kept[0]["bytes"], BYTES, delta=SIGMAS * error["bytes"])
        buffers = findings(found, "refcount-leak")
        self.assertEqual([f["type"] for f in buffers], ["Sampled"])
        error = buffers[0]["standard_error"]
        self.assertLess(error["count"], BUFFERS / 5)
        self.assertAlmostEqual(buffers[0]["count"], BUFFERS, delta=SIGMAS * error["count"])
        return buffers[0]

    def test_simple(self):
        run = self.traced("simple")
        buffers = self.assert_estimates(run)
        self.assertIsNone(buffers["culprit"])
        self.assertIsNone(buffers["final_count"]["max"])
        ops = self.ops(run)
        self.assertEqual((ops["retain"], ops["release"]), (0, 0))
        self.assertGreater(ops["create"], ops["destroy"])
        self.assertTrue(all(event.get("stack", 0) == 0 for event in events(run.traces[0])
                            if event["op"] == "free"))

    def test_advanced(self):
        run = self.traced("advanced")
        buffers = self.assert_estimates(run)
        self.assertEqual(buffers["final_count"], {"min": 1, "max": 1})
        ops = self.ops(run)
        # Every event of each buffer in the sample, and of no other.
        self.assertEqual(ops["retain"], ops["create"])
        self.assertLess(ops["create"], 40000 / 64)
        self.assertTrue(any(event.get("stack", 0) != 0 for event in events(run.traces[0])
                            if event["op"] == "free"))

    def test_paranoid_records_everything(self):
        run = self.traced("paranoid")
        found = report(run.traces)
        kept = {f["created"][0]["function"]: f for f in findings(found, "heap-leak")}["keep_block"]
        self.assertEqual((kept["count"], kept["bytes"]), (BLOCKS, BYTES))
        self.assertNotIn("sampled", kept)
        self.assertEqual(findings(found, "refcount-leak")[0]["count"], BUFFERS)

    def test_intervals_are_taken_from_the_environment(self):
        run = self.traced("advanced", SAMPLE_INTERVAL="1", SAMPLE_BYTES="1")
        ops = self.ops(run)
        self.assertEqual(ops["create"], 40000)
        self.assertGreaterEqual(ops["malloc"], 60000)

    def test_a_sample_is_never_called_clean(self):
        run = self.run_program([process("hello")], level="simple")
        found = report(run.traces)
        self.assertEqual(findings(found), [])
        self.assertEqual(found["summary"]["verdict"], "inconclusive")

    def test_bad_sampling_values_are_named_once(self):
        environment = clean_environment({
            "LD_PRELOAD": os.environ.get("LASTREF_SHIM",
                                         os.path.join(os.environ["LASTREF_BUILD"], "shim",
                                                      "liblastref.so")),
            "LASTREF_OUT": os.path.join(self.directory, "%p.trace"),
            "LASTREF_SAMPLE_INTERVAL": "often",
            "LASTREF_SAMPLE_BYTES": "-1",
        })
        run = plain([process("hello")], env=environment)
        self.assertEqual(run.status, 0)
        lines = [line for line in run.stderr.splitlines() if line.startswith("lastref:")]
        self.assertEqual(len(lines), 1)
        self.assertIn("LASTREF_SAMPLE_INTERVAL=often", lines[0])
        self.assertIn("LASTREF_SAMPLE_BYTES=-1", lines[0])


if __name__ == "__main__":
    unittest.main()
