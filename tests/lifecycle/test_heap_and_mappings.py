"""Heap blocks and mappings: leaks, double frees, failures."""

import unittest

from lastref_testing import events, findings, info, program, report, text_report
from expected import LifecycleTest, line_of


class Leaks(LifecycleTest):
    def test_heap_leak(self):
        found = self.report_of("heap_leak")
        self.assert_findings(found, {("heap-leak", "heap"): 29})
        leaked = {"Inventory::load": [0, 0], "Labels::add": [0, 0]}
        for leak in found["findings"]:
            function = "Labels::add" if leak["bytes"] % 400 else "Inventory::load"
            self.assert_frame(leak["created"], function, "heap_leak.cpp")
            leaked[function][0] += leak["count"]
            leaked[function][1] += leak["bytes"]
            if function == "Inventory::load":
                self.assert_frame(leak["created"], function, "heap_leak.cpp",
                                  line_of("lifecycle/heap_leak.cpp", "new char[400]"))
        self.assertEqual(leaked, {"Inventory::load": [25, 10000], "Labels::add": [4, 384]})
        heap = found["summary"]["heap"]
        self.assertGreaterEqual(heap["allocations"], 125 + 4)
        self.assertGreaterEqual(heap["peak_bytes"], 125 * 400)
        self.assertGreaterEqual(heap["live_bytes"], 10384)

    def test_what_libc_keeps_is_no_leak(self):
        found = self.report_of("kept_by_libc")
        self.assert_findings(found, {("heap-leak", "heap"): 6})
        self.assertEqual({self.first_own(leak)["function"]: leak["count"]
                          for leak in found["findings"]}, {"keep_names": 5, "lose": 1})
        self.assertGreaterEqual(found["summary"]["runtime"]["blocks"], 2)

    def first_own(self, leak):
        """The innermost frame of the program's own."""
        return next(frame for frame in leak["created"] if "kept_by_libc" in frame["module"])

    def test_what_runtimes_keep_is_no_leak(self):
        found = self.report_of("late_runtime")
        self.assert_findings(found, {})
        self.assertGreater(found["summary"]["runtime"]["bytes"], 72704)

    def test_mapping_leak(self):
        found = self.report_of("mapping_leak")
        self.assert_findings(found, {("mapping-leak", "mapping"): 2})
        self.assertEqual(sum(f["bytes"] for f in found["findings"]), 96 * 1024)
        for leak in found["findings"]:
            self.assert_frame(leak["created"], "Region::reserve", "mapping_leak.cpp")


class MissingFree(LifecycleTest):
    """The culprit of plain heap blocks: where others that were made at the same place are freed."""

    def leak_of(self, mode, count, status=0):
        leaks = [f for f in self.report_of("heap_peers", mode, status=status)["findings"]
                 if any("Message::read" in frame["function"] for frame in f["created"])]
        self.assertEqual([(f["kind"], f["count"]) for f in leaks], [("heap-leak", count)])
        return leaks[0]

    def assert_missing(self, leak, function, line):
        culprit = leak["culprit"]
        self.assertEqual(culprit["cause"], "missing-release", leak["reason"])
        self.assert_frame([culprit["frame"]], function, "heap_peers.cpp",
                          line_of("lifecycle/heap_peers.cpp", line))
        self.assert_frame(culprit["stack"], function)
        self.assertGreater(culprit["confidence"], 0.75)
        self.assertFalse(culprit["ambiguous"])
        self.assertIn("Message::read", culprit["explanation"])
        self.assertEqual(leak["suspects"][0], culprit)

    def test_early_return(self):
        self.assert_missing(self.leak_of("error_path", 40), "Parser::parse", "early return misses")

    def test_function_that_is_not_called(self):
        self.assert_missing(self.leak_of("early_exit", 40), "Parser::finish", "does not come to")

    def test_caches_accuse_nobody(self):
        for mode in "cache", "random":
            self.assert_no_culprit(self.leak_of(mode, 16))

    def test_in_flight_accuses_nobody(self):
        self.assert_no_culprit(self.leak_of("in_flight", 8, status=137))

    def test_first_ones_accuse_nobody(self):
        self.assert_no_culprit(self.leak_of("interned", 20))

    def test_without_stacks_of_frees_nobody_is_named(self):
        run = self.traced("heap_peers", "error_path", env={"LASTREF_FREE_STACKS": "0"})
        for leak in report(run.traces)["findings"]:
            self.assert_no_culprit(leak)


class DoubleFree(LifecycleTest):
    def assert_double_free(self, found):
        self.assert_findings({"findings": findings(found, "double-free")},
                             {("double-free", "heap"): 1})
        finding = findings(found, "double-free")[0]
        history = sorted(finding["example"]["events"], key=lambda e: e["time_ns"])
        self.assertEqual([e["op"] for e in history], ["malloc", "free", "free"])
        self.assert_frame(history[1]["stack"], "first_owner", "double_free.c")
        self.assert_frame(history[2]["stack"], "second_owner", "double_free.c")

    def test_that_libc_aborts(self):
        run = self.traced("double_free", "caught", status=128 + 6)
        found = report(run.traces)
        self.assert_double_free(found)
        self.assertEqual(found["processes"][0]["exit"], "signal 6")

    def test_that_libc_does_not_notice(self):
        found = self.report_of("double_free", "unnoticed")
        self.assert_double_free(found)
        self.assert_findings(found, {("double-free", "heap"): 1})


class HalfSeenHeap(LifecycleTest):
    """Nothing is called freed twice or leaked where other ways to the heap are in use."""

    def test_no_verdict_from_one_half(self):
        for mode, blocks in ("made_unseen", 2000), ("freed_unseen", 200):
            with self.subTest(mode):
                run = self.traced("half_seen_heap", mode)
                found = report(run.traces)
                self.assertEqual([f for f in found["findings"] if f["kind"] != "held"], [])
                if found["summary"]["heap"]["frees"] >= blocks:
                    continue  # the other half was seen, too
                said = found["processes"][0]["warnings"]
                self.assertIn("the heap was seen in part", said[0])
                self.assertFalse(found["processes"][0]["complete"])
                self.assertIn("the heap was seen in part", text_report(run.traces).splitlines()[0])
                self.assertIn("the heap was seen in part", info(run.traces[0]))


class Failures(LifecycleTest):
    def test_allocation_failures(self):
        run = self.traced("allocation_failure")
        found = report(run.traces)
        self.assert_complete(found)
        failures = findings(found, "allocation-failure")
        self.assertEqual(found["findings"], failures)
        where = {}
        for finding in failures:
            for function in ("load_huge", "load_table", "map_huge", "new_huge"):
                if any(f"Loader::{function}" in f["function"] for f in finding["created"]):
                    where[function] = where.get(function, 0) + finding["count"]
                    self.assertGreater(finding["bytes"], 1 << 62, finding)
                    # No more than the C++ runtime's own pool lives then.
                    self.assertLess(finding["used"], 1 << 20)
        self.assertEqual(where, {"load_huge": 3, "load_table": 1, "map_huge": 1, "new_huge": 1})

    def test_each_failure_is_named_after_its_function(self):
        """And what is refused for another reason than memory is no failure."""
        found = self.report_of("failed_calls")
        self.assert_findings(found, {("allocation-failure", "heap"): 7})
        self.assertEqual(sorted(f["reason"] for f in found["findings"]),
                         sorted(f"{call} returned no memory"
                                for call in ("reallocarray", "reallocarray", "posix_memalign",
                                             "aligned_alloc", "memalign", "valloc", "pvalloc")))

    def test_used_and_limit_are_told(self):
        failing = program("lifecycle/allocation_failure")
        for set_limit, limit, shown in (("-v unlimited", None, "no limit of the address space"),
                                       ("-v 4194304", 4 << 30, "is limited to 4.0 GiB")):
            with self.subTest(set_limit):
                run = self.run_program(["/bin/sh", "-c", f'ulimit {set_limit}; exec "$0"', failing])
                self.assert_exits(run)
                failures = findings(report(run.traces), "allocation-failure")
                self.assertEqual(sum(f["count"] for f in failures), 6)
                for finding in failures:
                    self.assertEqual(finding["limit"], limit)
                    self.assertGreater(finding["used"], 0)
                self.assertRegex(text_report(run.traces), f"memory +[0-9.]+ KiB in use, .*{shown}")


class Balance(LifecycleTest):
    def test_events_are_what_the_program_did(self):
        """The sizes of Inventory's blocks occur nowhere else: 125 made, 100 of them freed."""
        run = self.traced("heap_leak")
        live, made, freed, last = {}, 0, 0, 0
        for event in events(run.traces[0]):
            self.assertGreaterEqual(event["time_ns"], last)
            last = event["time_ns"]
            if event["op"] == "malloc" and event["size"] == 400:
                live[event["address"]] = event
                made += 1
            elif event["op"] == "free" and event["address"] in live:
                del live[event["address"]]
                freed += 1
        self.assertEqual((made, freed, len(live)), (125, 100, 25))


if __name__ == "__main__":
    unittest.main(verbosity=2)
