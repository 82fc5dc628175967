"""SIGKILL at 200 instants: every pair of malloc and free that the program had completed is in the
trace, and what is there is in order. The seed is fixed; the instants are the scheduler's."""

import mmap
import os
import random
import subprocess
import tempfile
import unittest

from side_by_side import SideBySide, preloading, process
from lastref_testing import clean_environment, events, lastref, report, traces_in

INSTANTS = 200
SIZE = 97


class Kill(SideBySide):
    def kill_at(self, target, threads):
        """Kills `progress` once its first counter reaches target. (counters, traces)"""
        directory = tempfile.mkdtemp(dir=self.directory)
        path = os.path.join(directory, "counters")
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as shared:
            counters = memoryview(shared).cast("Q")
            child = subprocess.Popen([process("progress"), path, str(threads)],
                                     env=clean_environment(preloading(directory)))
            try:
                while counters[0] < target:
                    self.assertIsNone(child.poll(), "ended by itself")
                    os.sched_yield()
            finally:
                child.kill()
                child.wait()
            done = list(counters[:threads])
            counters.release()
        return done, traces_in(directory)

    def check(self, target, threads):
        done, traces = self.kill_at(target, threads)
        self.assertEqual(len(traces), 1)
        begun, ended, live = {}, {}, set()
        for event in events(traces[0]):
            thread = event["thread"]
            if event["op"] == "malloc" and event["size"] == SIZE:
                self.assertNotIn(event["address"], live)
                live.add(event["address"])
                begun[thread] = begun.get(thread, 0) + 1
            elif event["op"] == "free" and event["address"] in live:
                live.remove(event["address"])
                ended[thread] = ended.get(thread, 0) + 1
        # Each thread may be one event ahead of its counter, and one block may be alive.
        for counts in (begun, ended):
            seen = sorted(counts.values()) + [0] * (threads - len(counts))
            for expected, count in zip(sorted(done), sorted(seen)):
                self.assertGreaterEqual(count, expected)
                self.assertLessEqual(count, expected + 1)
        self.assertLessEqual(len(live), threads)
        return traces[0]

    def test_no_completed_event_is_missing(self):
        chance = random.Random(20240229)
        for instant in range(INSTANTS - 20):
            target = int(10 ** chance.uniform(0, 4.2))
            threads = chance.choice((1, 1, 2, 3))
            with self.subTest(instant=instant, target=target, threads=threads):
                self.check(target, threads)

    def test_killed_before_it_got_anywhere(self):
        """In the loader, in the shim's constructor, before main: the file is readable or it isn't,
        and then that is said in one line."""
        for instant in range(20):
            with self.subTest(instant=instant):
                _, traces = self.kill_at(0, 1)
                for trace in traces:
                    result = lastref("report", trace)
                    self.assertIn(result.status, (0, 3), repr(result))
                    if result.status == 3:
                        self.assertEqual(len(result.stderr.splitlines()), 1, repr(result))

    def test_report_of_a_killed_process(self):
        trace = self.check(5000, 2)
        found = report(trace)
        self.assert_complete(found)
        self.assertIn(found["processes"][0]["exit"], ("unknown", "signal 9"))


if __name__ == "__main__":
    unittest.main()
