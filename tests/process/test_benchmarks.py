"""The benchmarks work: each ends well with a tiny workload and prints what it measured. No timings are
looked at. If a benchmark says that something is missing (a rival, say) its test is skipped.
"""

import os
import subprocess
import unittest

BENCHMARKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/bench")


class Benchmarks(unittest.TestCase):
    def quick(self, name, *rows):
        run = subprocess.run([os.path.join(BENCHMARKS, name), "--quick"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if run.returncode == 2 and " is missing: " in run.stderr:
            self.skipTest(run.stderr.strip())
        self.assertEqual(run.returncode, 0, run.stderr)
        for row in rows:
            self.assertRegex(run.stdout, rf"(?m)^ +{row} .*\d")

    def test_pairs(self):
        self.quick("pairs", "plain", "lastref", "heaptrack", "added, heaptrack / lastref")

    def test_compile(self):
        self.quick("compile", "plain", "lastref", "lastref, level simple",
                   "time, level simple / plain")

    def test_redis(self):
        self.quick("redis", "requests per second, level simple / plain")

    def test_gstreamer(self):
        if not os.path.exists(os.path.join(os.environ["LASTREF_PROGRAMS"], "bench",
                                           "buffer_references")):
            self.skipTest("built without libgstreamer1.0-dev")
        self.quick("gstreamer", "added, leaks tracer / lastref.h",
                   "added, leaks tracer / lastref, hooked")

    def test_hooks(self):
        self.quick("hooks", "hook call", "malloc or free, simple", "ns of a hook call")

    def test_hooked_call(self):
        self.quick("hooked_call", "plain", "nothing recorded", "recorded",
                   "ns of a hooked call, recorded with its stack")

    def test_ffmpeg(self):
        self.quick("ffmpeg", "plain", "level simple, hooked",
                   "processor time, level simple with pack / plain")

    def test_billion(self):
        self.quick("billion", "trace", "report")

    def test_blame(self):
        self.quick("blame", "info", "report", "blame's own / reading the trace")

    def test_html_report(self):
        self.quick("html_report", "report", "page")

    def test_start(self):
        self.quick("start", "plain", "simple", "ms added at level simple")

    def test_gate(self):
        self.quick("gate", "plain", "gate", "time, gate / plain")

    def test_all_of_them_are_listed(self):
        with open(os.path.join(BENCHMARKS, "all"), encoding="utf-8") as script:
            listed = set(next(line for line in script if line.startswith("for name in "))
                         .split("for name in ")[1].split(";")[0].split())
        there = {name for name in os.listdir(BENCHMARKS)
                 if "." not in name and not name.startswith("__")}
        self.assertEqual(listed, there - {"all"})


if __name__ == "__main__":
    unittest.main()
