"""Perfetto traces, asked by Perfetto's own trace processor, which scripts/test fetches.

Skipped (77) where that is not there.
"""

import json
import os
import subprocess
import sys
import unittest

from lastref_testing import LastrefTest, lastref, program, report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROCESSOR = os.path.join(os.environ.get("LASTREF_BUILD", os.path.join(ROOT, "build")),
                         "trace_processor")


class PerfettoProcessor(LastrefTest):
    def ask(self, traces, *queries):
        """A list of rows for each query."""
        path = os.path.join(self.directory, "out.pftrace")
        self.assertEqual(lastref("export", *traces, "--format", "perfetto", "-o", path).status, 0)
        done = subprocess.run(["node", os.path.join(HERE, "trace_processor.mjs"), PROCESSOR, path],
                              input=json.dumps(queries), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_what_it_tells(self):
        names = ("release_always_missing", "heap_leak")
        traces = [self.run_program(program("lifecycle/" + name)).traces[0] for name in names]
        reported = [report(trace) for trace in traces]
        errors, processes, slices, arguments, gauges = self.ask(
            traces,
            "SELECT name, value FROM stats WHERE severity <> 'info' AND value <> 0",
            "SELECT pid, name FROM process WHERE pid <> 0",
            "SELECT pid, slice.name, dur, count(*) AS count FROM slice "
            "JOIN process_track ON process_track.id = track_id JOIN process USING (upid) "
            "GROUP BY pid, slice.name, dur < 0",
            "SELECT flat_key AS key, int_value AS number, string_value AS text, count(*) AS count "
            "FROM slice JOIN args USING (arg_set_id) WHERE slice.name LIKE 'Order%' GROUP BY 1, 2, 3",
            "SELECT pid, process_counter_track.name, unit, max(value) AS most, "
            "max(ts) AS last, value FROM counter "
            "JOIN process_counter_track ON process_counter_track.id = track_id "
            "JOIN process USING (upid) GROUP BY track_id")
        self.assertEqual(errors, [])  # neither lost, nor misplaced, nor not understood
        self.assertEqual(
            {row["pid"]: row["name"] for row in processes},
            {one["processes"][0]["pid"]: name for one, name in zip(reported, names)})

        lasts = self.ask(traces, "SELECT pid, process_counter_track.name, value FROM counter "
                         "JOIN process_counter_track ON process_counter_track.id = track_id "
                         "JOIN process USING (upid) WHERE counter.ts = (SELECT max(ts) FROM counter "
                         "AS other WHERE other.track_id = counter.track_id)")[0]
        last = {(row["pid"], row["name"]): row["value"] for row in lasts}
        most = {(row["pid"], row["name"]): (row["most"], row["unit"]) for row in gauges}
        for one in reported:
            pid, summary = one["processes"][0]["pid"], one["summary"]
            heap = summary["heap"]
            of_heap = [row for row in slices if row["pid"] == pid and row["name"].startswith("heap")]
            self.assertEqual(sum(row["count"] for row in of_heap), heap["allocations"])
            self.assertEqual(sum(row["count"] for row in of_heap if "live" in row["name"]),
                             heap["live"])
            self.assertTrue(all(row["dur"] >= 0 for row in of_heap))
            self.assertEqual(most[pid, "heap bytes"], (heap["peak_bytes"], "bytes"))
            self.assertEqual(last[pid, "heap bytes"], heap["live_bytes"])
            self.assertEqual(most[pid, "heap live"][1], "count")
            self.assertEqual(last[pid, "heap live"], heap["live"])

        orders = reported[0]["summary"]["buffers"]["created"]
        keys = {row["key"] for row in arguments}
        for key in "address", "size", "count", "created", "ended":
            self.assertIn("debug." + key, keys)
        self.assertEqual(sum(row["count"] for row in arguments if row["key"] == "debug.created"
                             and "Shop::receive(" in row["text"]), orders)


if __name__ == "__main__":
    if not os.path.exists(os.path.join(PROCESSOR, "trace_processor.wasm")):
        print("no trace processor in", PROCESSOR, file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
