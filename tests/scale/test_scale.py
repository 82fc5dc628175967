"""A report's memory is bounded by what is live, not by how long the trace is."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

LASTREF = os.environ["LASTREF"]
LONG_TRACE = os.path.join(os.environ["LASTREF_BUILD"], "tests", "scale", "long_trace")

LIVE = 20_000

# Runs its arguments and prints their peak memory in bytes: a process of its own, because
# RUSAGE_CHILDREN keeps the highest of all children.
PEAK = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(status)
"""


class Scale(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="lastref-scale-")
        self.addCleanup(self.directory.cleanup)

    def make(self, events, *stacks):
        path = os.path.join(self.directory.name, f"{events}.trace")
        subprocess.run([LONG_TRACE, path, str(events), str(LIVE), *stacks], check=True)
        return path

    def written(self, path, form):
        """The output's path and the peak memory of making it, in bytes."""
        output = f"{path}.{form}"
        done = subprocess.run(
            [sys.executable, "-c", PEAK, LASTREF, "report", path, "--format", form, "-o", output],
            check=True, stdout=subprocess.PIPE, text=True)
        return output, int(done.stdout)

    def report(self, path):
        output, peak = self.written(path, "json")
        with open(output, encoding="utf-8") as file:
            return json.load(file), peak

    def test_memory_does_not_grow_with_the_trace(self):
        short, short_peak = self.report(self.make(2_000_000))
        long, long_peak = self.report(self.make(20_000_000))
        for report, events in (short, 2_000_000), (long, 20_000_000):
            self.assertGreaterEqual(report["processes"][0]["events"], events)
            self.assertEqual(report["processes"][0]["warnings"], [])
            heap = report["summary"]["heap"]
            self.assertEqual(heap["allocations"] - heap["frees"], LIVE)
            self.assertGreater(report["summary"]["buffers"]["created"], events // 50)
            self.assertEqual(report["summary"]["buffers"]["leaked"], 0)
        self.assertLess(long_peak - short_peak, 8 << 20,
                        f"{short_peak >> 20} MiB for the short trace, {long_peak >> 20} for the long one")

    def test_formats_that_tell_every_event_keep_none(self):
        """All stacks are seen early; a word kept for each of a million more events would show."""
        short, long = self.make(500_000, "200"), self.make(1_500_000, "200")
        for form in "sqlite", "heaptrack", "perfetto":
            if "built without" in subprocess.run([LASTREF, "report", short, "--format", form],
                                                 stderr=subprocess.PIPE, text=True,
                                                 stdout=subprocess.DEVNULL, check=False).stderr:
                continue
            with self.subTest(form):
                peaks = [self.written(path, form)[1] for path in (short, long)]
                self.assertLess(peaks[1] - peaks[0], 6 << 20, f"{peaks[0] >> 20} MiB for the short "
                                f"trace, {peaks[1] >> 20} for the long one")

    def test_one_core_and_all_cores_report_the_same(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("only one core")
        path = self.make(500_000)
        first = {min(os.sched_getaffinity(0))}
        reports = [
            subprocess.run([LASTREF, "report", path, "--format", "json"], check=True,
                           stdout=subprocess.PIPE, preexec_fn=limit).stdout
            for limit in (None, lambda: os.sched_setaffinity(0, first))]
        self.assertGreater(len(reports[0]), 1000)
        self.assertEqual(reports[0], reports[1])


if __name__ == "__main__":
    unittest.main()
