"""Rows 8, 15, 23, 24 and 25 of doc/lifecycle-bugs.md: faults that events alone show."""

import unittest

from expected import LifecycleTest, line_of


class Leaks(LifecycleTest):
    def test_release_that_is_always_missing(self):
        found = self.report_of("release_always_missing")
        self.assert_findings(found, {("refcount-leak", "Order"): 100})
        self.assertEqual(found["summary"]["buffers"], {"created": 100, "ended": 0, "leaked": 100})
        for leak in found["findings"]:
            self.assertEqual(leak["bytes"], 64 * leak["count"])
            self.assertEqual(leak["final_count"], {"min": 1, "max": 1})
            self.assert_frame(leak["created"], "Shop::receive", "release_always_missing.cpp",
                              line_of("lifecycle/release_always_missing.cpp", "Buffer::create"))
            self.assertEqual(self.operations(leak), ["create", "retain", "release"])
            if leak["culprit"]:
                self.assertTrue(leak["culprit"]["ambiguous"], leak["culprit"])

    def test_pooled_buffer_that_is_not_returned(self):
        found = self.report_of("pool_not_returned")
        self.assert_findings(found, {("refcount-leak", "PooledBuffer"): 10})
        self.assertEqual(found["summary"]["buffers"], {"created": 230, "ended": 220, "leaked": 10})
        for leak in found["findings"]:
            self.assert_frame(leak["created"], "Auditor::inspect", "pool_not_returned.cpp")
            self.assertEqual(self.operations(leak), ["create"])


class Misuse(LifecycleTest):
    def test_over_release(self):
        found = self.report_of("over_release")
        self.assert_findings(found, {("over-release", "Packet"): 3})
        self.assertEqual(found["summary"]["buffers"], {"created": 53, "ended": 53, "leaked": 0})
        for finding in found["findings"]:
            self.assertEqual(self.operations(finding),
                             ["create", "retain", "release", "release", "release"])
            last = max(finding["example"]["events"], key=lambda e: e["time_ns"])
            self.assert_frame(last["stack"], "Connection::close", "over_release.cpp")

    def test_use_after_the_last_release(self):
        found = self.report_of("use_after_release")
        self.assert_findings(found, {("use-after-release", "Request"): 4})
        self.assertEqual(found["summary"]["buffers"], {"created": 44, "ended": 44, "leaked": 0})
        for finding in found["findings"]:
            self.assertEqual(self.operations(finding), ["create", "touch", "release", "touch"])
            events = sorted(finding["example"]["events"], key=lambda e: e["time_ns"])
            self.assert_frame(events[2]["stack"], "Server::answer", "use_after_release.cpp")
            self.assert_frame(events[3]["stack"], "AccessLog::late_entry", "use_after_release.cpp")

    def test_memory_freed_while_referenced(self):
        found = self.report_of("freed_while_referenced")
        self.assert_findings(found, {("freed-while-referenced", "HeapBuffer"): 6,
                                     ("freed-while-referenced", "MappedBuffer"): 1})
        self.assertEqual(found["summary"]["buffers"]["leaked"], 0)
        for finding in found["findings"]:
            last = max(finding["example"]["events"], key=lambda e: e["time_ns"])
            heap = finding["type"] == "HeapBuffer"
            self.assert_frame(last["stack"], "Cleaner::free_block" if heap else "Cleaner::unmap",
                              "freed_while_referenced.cpp")
            count = 2 if heap else 1
            self.assertEqual(finding["final_count"], {"min": count, "max": count})


if __name__ == "__main__":
    unittest.main(verbosity=2)
