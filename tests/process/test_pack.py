"""lastref pack: the same trace in less space. Every command says the same of both forms."""

import json
import os
import signal
import struct
import subprocess
import unittest

from lastref_testing import LASTREF, LastrefTest, lastref, program
from side_by_side import process

HEADER = 4096
CHUNK_MAGIC = b"LRCK"


def kept(path):
    """The content of a plain trace: its header and each chunk's committed bytes, by offset."""
    with open(path, "rb") as file:
        data = file.read()
    pieces = {0: data[:HEADER]}
    at = HEADER
    while at < len(data):
        if data[at:at + 4] != CHUNK_MAGIC:
            at += 4096
            continue
        size, committed = struct.unpack_from("<II", data, at + 8)
        pieces[at] = data[at:at + 64 + committed]
        at += size
    return pieces


class Pack(LastrefTest):
    def checked(self, *arguments):
        result = lastref(*arguments)
        self.assertEqual(result.status, 0, repr(result))
        return result.stdout

    def pack(self, trace):
        packed = trace + ".packed"
        self.checked("pack", trace)
        self.assertEqual(os.stat(packed).st_mode & 0o777, 0o600)
        return packed

    def assert_same(self, trace):
        packed = self.pack(trace)
        again = trace + ".again"
        self.checked("unpack", packed, "-o", again)
        self.assertEqual(kept(again), kept(trace))
        self.assertEqual(os.path.getsize(again), os.path.getsize(trace))
        self.assertEqual(self.checked("events", packed, "--stacks"),
                         self.checked("events", trace, "--stacks"))
        reports = [json.loads(self.checked("report", path, "--format", "json"))
                   for path in (trace, packed)]
        for found in reports:
            found["processes"][0].pop("trace", None)
        self.assertEqual(reports[0], reports[1])

    def test_nothing_is_lost(self):
        for name, environment in {
            "library_reload": {}, "ring_phases": {"LASTREF_RING": str(256 << 10)},
            "signal_storm": {}, "fork_generations": {}, "mappings": {}, "realloc_edges": {},
            "sampled": {"LASTREF_LEVEL": "advanced"}, "thread_churn": {},
        }.items():
            with self.subTest(name):
                run = self.run_program([process(name)], env=environment)
                self.assertNotEqual(run.traces, [])
                for trace in run.traces[:4]:
                    self.assert_same(trace)

    def test_buffers(self):
        run = self.run_program([program("lifecycle/faults")])
        for trace in run.traces:
            self.assert_same(trace)

    def test_it_is_small(self):
        trace = self.run_program([process("ring_phases")]).traces[0]
        self.assertLess(os.path.getsize(self.pack(trace)) * 4, os.path.getsize(trace))

    def test_what_is_refused(self):
        trace = self.run_program([process("hello")]).traces[0]
        packed = self.pack(trace)
        with open(packed, "rb") as file:
            before = file.read()
        for arguments, reason in (
            (("pack", trace), "never overwritten"),
            (("pack", packed), "packed already"),
            (("unpack", packed), "never overwritten"),
            (("pack", trace, "-o", "/dev/null/x"), "can't be written"),
        ):
            result = lastref(*arguments)
            self.assertEqual(result.status, 2, repr(result))
            self.assertIn(reason, result.stderr)
        result = lastref("unpack", trace, "-o", trace + ".new")
        self.assertEqual(result.status, 3, repr(result))
        with open(packed, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(sorted(os.listdir(os.path.dirname(trace))),
                         sorted(os.path.basename(path) for path in (trace, packed)))

    def test_a_running_program_is_waited_for(self):
        trace = os.path.join(self.directory, "cat.trace")
        with subprocess.Popen([LASTREF, "run", "-o", trace, "--", "cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            child.stdin.write(b"here\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), b"here\n")
            result = lastref("pack", trace)
            child.stdin.close()
            child.stdout.read()
        self.assertEqual(result.status, 2, repr(result))
        self.assertIn("still writes it", result.stderr)
        self.assert_same(trace)

    def test_a_cut_packed_trace(self):
        packed = self.pack(self.run_program([process("ring_phases")]).traces[0])
        with open(packed, "rb") as file:
            whole = file.read()
        for size in (len(whole) - 10, len(whole) // 2):
            with open(packed, "wb") as file:
                file.write(whole[:size])
            text = self.checked("report", packed)
            self.assertIn("the packed trace ends", text.split("\n\n", 1)[0])
            self.assertEqual(lastref("unpack", packed, "-o", packed + ".new").status, 3)
        for size in (4, 20):
            with open(packed, "wb") as file:
                file.write(whole[:size])
            self.assertEqual(lastref("report", packed).status, 3)

    def test_a_damaged_packed_trace(self):
        trace = self.run_program([process("ring_phases")]).traces[0]
        packed = self.pack(trace)
        with open(packed, "r+b") as file:
            file.seek(os.path.getsize(packed) - 50)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 16]))
        self.assertIn("a segment is damaged", self.checked("report", packed))

    def test_damage_is_kept(self):
        trace = self.run_program([process("ring_phases")]).traces[0]
        with open(trace, "r+b") as file:
            file.seek(HEADER + 2 * 65536)
            file.write(b"\x99" * 5000)
            file.truncate(os.path.getsize(trace) * 2 // 3 + 100)
        packed = self.pack(trace)
        self.assertEqual(self.checked("events", packed), self.checked("events", trace))
        again = trace + ".again"
        self.checked("unpack", packed, "-o", again)
        self.assertEqual(self.checked("events", again), self.checked("events", trace))


if __name__ == "__main__":
    unittest.main()
