"""Every kind of memory: seen with its size, and the program none the wiser."""

import unittest

from side_by_side import Balance, SideBySide, process
from lastref_testing import events, findings, report

PAGE = 4096


class Heap(SideBySide):
    def test_every_aligned_kind(self):
        run = self.side_by_side(process("aligned"))
        balance = Balance(run.traces[0])
        # pvalloc may be recorded as asked for or as rounded up.
        pvalloc = balance.begun[6105] + balance.begun[8192]
        self.assertEqual(pvalloc, 1)
        for size in (6101, 6102, 6103, 6104, 6109, 6110, 6111, 6112, 6113, 6114, 6117):
            self.assertEqual(balance.of(size), (1, 1), size)
        # libstdc++ asks for whole alignments, here 64: 6,106 becomes 6,144.
        aligned = [balance.of(size) for size in (6106, 6107, 6108, 6115, 6118, 6144)]
        self.assertEqual([sum(counts) for counts in zip(*aligned)], [5, 5])
        ops = {e["size"]: e["op"] for e in events(run.traces[0]) if "size" in e}
        for size in (6101, 6102, 6103, 6104):
            self.assertEqual(ops[size], "memalign", size)
        self.assertEqual(ops[6113], "calloc")
        self.assertEqual(ops[6109], "malloc")

    def test_realloc_at_its_edges(self):
        run = self.side_by_side(process("realloc_edges"))
        balance = Balance(run.traces[0])
        # 12,001 -> 24,002 -> 24,002 -> 12,003 -> 1,200,500 -> 12,100 -> gone.
        for size, count in ((12001, 1), (24002, 2), (12003, 1), (12004, 1), (1200500, 1),
                            (12100, 1)):
            self.assertEqual(balance.of(size), (count, count), size)
        leaks = [f for f in findings(run.report, "heap-leak") if f["bytes"] >= 12000]
        self.assertEqual(leaks, [])
        self.assertEqual(findings(run.report, "double-free"), [])
        self.assertGreaterEqual(len(findings(run.report, "allocation-failure")), 1)

    def test_allocations_that_fail(self):
        run = self.side_by_side(process("huge_allocation"))
        self.assertEqual(Balance(run.traces[0]).of(6201), (10, 10))
        failed = [e["call"] for e in events(run.traces[0]) if e["op"] == "failed"]
        # malloc and five forms of new and a vector, and one with three more tries after a handler;
        # two forms of new take aligned blocks by aligned_alloc
        self.assertEqual({call: failed.count(call) for call in failed},
                         {"malloc": 10, "calloc": 1, "aligned_alloc": 2, "posix_memalign": 1,
                          "mmap": 1})
        self.assertGreaterEqual(len(findings(run.report, "allocation-failure")), 5)

    def test_errno(self):
        run = self.side_by_side(process("errno_kept"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(6301), (200000, 200000))
        self.assertEqual(balance.of(6302), (200000, 200000))

    def test_program_with_its_own_malloc(self):
        run = self.side_by_side(process("own_malloc"))
        self.assertEqual(run.stdout, "2000 of our own\n")
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(31), (1000, 1000))
        self.assertEqual(balance.of(100), (1000, 1000))

    def test_program_that_takes_the_address_of_malloc(self):
        """At a fixed address the program's own table entry stands for malloc: still the shim's."""
        run = self.side_by_side(process("fixed_address"))
        self.assertEqual(Balance(run.traces[0]).of(4101), (100, 100))
        self.assert_clean(run)

    def test_program_with_its_own_operator_new(self):
        run = self.side_by_side(process("own_operator_new"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(4001), (100, 100))
        self.assertEqual(balance.of(4002), (100, 100))
        self.assertEqual(balance.of(4003), (100, 100))


class Mappings(SideBySide):
    def test_whole_in_parts_and_over_each_other(self):
        run = self.side_by_side(process("mappings"))
        asked = {}
        for event in events(run.traces[0]):
            if event["op"] == "mmap":
                asked[event["size"]] = asked.get(event["size"], 0) + 1
        for pages in (21, 22, 23, 24, 25, 26, 27, 28):
            self.assertEqual(asked.get(pages * PAGE), 1, pages)
        leaked = {f["bytes"]: f["count"] for f in findings(run.report, "mapping-leak")
                  if any(frame["function"] == "main" for frame in f["created"])}
        # Both come from one line, map(), but from two calls of it.
        self.assertEqual(sum(leaked), (28 + 7) * PAGE, leaked)

    def test_order_of_addresses(self):
        run = self.side_by_side(process("mappings"))
        remapped = [e for e in events(run.traces[0]) if e["op"] == "mremap"]
        self.assertGreaterEqual(len(remapped), 2)

    def test_program_break(self):
        run = self.side_by_side(process("program_break"))
        self.assertEqual(Balance(run.traces[0]).of(7201), (100, 100))


if __name__ == "__main__":
    unittest.main()
