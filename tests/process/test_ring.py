"""--ring: the newest events are kept, all of them, and nothing is said of what began before."""

import os
import unittest

from lastref_testing import events, findings, info, lastref, report
from side_by_side import SideBySide, process

RING = 256 << 10


class Ring(SideBySide):
    def traced(self, **environment):
        run = self.run_program([process("ring_phases")], env=environment)
        self.assertEqual((run.status, run.stdout), (0, "kept 10 early, 10 late\n"))
        return run

    def kept(self, found):
        return {f["created"][0]["function"]: f["count"] for f in findings(found)}

    def test_the_past_goes_the_present_is_whole(self):
        run = self.traced(LASTREF_RING=str(RING))
        found = report(run.traces)
        self.assertEqual(self.kept(found), {"keep_late": 10})
        mine = found["processes"][0]
        self.assertTrue(mine["complete"], mine["warnings"])
        self.assertGreater(mine["cut_chunks"], 0)
        self.assertEqual(mine["ring_size"], RING)
        # The file: the ring, and room for stacks, modules and the header.
        self.assertLess(os.path.getsize(run.traces[0]), RING + (256 << 10))
        times = [e["time_ns"] for e in events(run.traces[0])
                 if e["op"] not in ("load", "unload", "thread", "lost")]
        self.assertGreater(min(times), mine["cut_ns"])
        self.assertGreater(len(times), 10000)

    def test_what_was_dropped_is_told_of_the_trace_itself(self):
        trace = self.traced(LASTREF_RING=str(RING)).traces[0]
        cut = report([trace])["processes"][0]
        text = (f"{cut['cut_chunks']} chunks of events dropped, what began before "
                f"{cut['cut_ns'] / 1e9:.6f} s is not reported")
        self.assertIn(f"\nring        the newest 256.0 KiB: {text}\n", info(trace))
        self.assertEqual([e["reason"] for e in events(trace) if e["op"] == "lost"],
                         ["the ring: " + text])
        trace = self.traced(LASTREF_RING="64M").traces[0]
        self.assertIn("\nring        the newest 64.0 MiB\n", info(trace))
        self.assertEqual([e for e in events(trace) if e["op"] == "lost"], [])

    def test_everything_after_the_cut_is_there(self):
        run = self.traced(LASTREF_RING=str(RING))
        live = None
        for event in events(run.traces[0]):
            # Thread 0 and the other one strictly alternate malloc(303) and free.
            if event["op"] == "malloc" and event["size"] == 303:
                self.assertNotEqual(live and live.get(event["thread"]), event["address"])
                live = live or {}
                live[event["thread"]] = event["address"]
            elif event["op"] == "free" and live and live.get(event["thread"]) == event["address"]:
                live[event["thread"]] = None
        self.assertTrue(live)
        self.assertEqual([address for address in live.values() if address], [])

    def test_a_ring_that_is_large_enough_cuts_nothing(self):
        found = report(self.traced(LASTREF_RING="64M").traces)
        self.assertEqual(self.kept(found), {"keep_early": 10, "keep_late": 10})
        self.assertEqual(found["processes"][0]["cut_chunks"], 0)

    def test_the_option_of_run(self):
        trace = os.path.join(self.directory, "ring.trace")
        run = lastref("run", "--ring", "256K", "-o", trace, process("ring_phases"))
        self.assertEqual(run.status, 0)
        self.assertEqual(self.kept(report([trace])), {"keep_late": 10})
        text = lastref("report", trace).stdout
        self.assertIn("not reported", text.splitlines()[0])
        run = lastref("run", "--ring", "much", "-o", trace + "2", process("ring_phases"))
        self.assertEqual(run.status, 2)
        self.assertIn("--ring much", run.stderr)


if __name__ == "__main__":
    unittest.main()
