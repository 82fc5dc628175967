"""`run` and `report` with programs and files that they can't work with."""

import os
import struct
import tempfile
import unittest

from side_by_side import SHIM, SideBySide, process
from lastref_testing import LASTREF, lastref, plain, report

HEADER_SIZE = 4096
CHUNK_MAGIC = 0x4B43524C
VERSION_OFFSET = 8


class BadPrograms(SideBySide):
    def refused(self, path, *reasons):
        run = lastref("run", "--", path, cwd=self.directory)
        self.assertEqual(run.status, 2, repr(run))
        self.assertEqual(run.stdout, "")
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn(os.path.basename(path), run.stderr)
        self.assertTrue(any(reason in run.stderr.lower() for reason in reasons), run.stderr)
        self.assertEqual([n for n in os.listdir(self.directory) if n.endswith(".trace")], [])

    def file(self, content, mode=0o755):
        descriptor, path = tempfile.mkstemp(dir=self.directory)
        os.write(descriptor, content)
        os.close(descriptor)
        os.chmod(path, mode)
        return path

    def test_missing(self):
        self.refused(os.path.join(self.directory, "absent"), "no such file", "not found")
        self.refused("lastref-no-such-program", "no such file", "not found")

    def test_not_executable(self):
        self.refused(self.file(b"\x7fELF", 0o644), "not executable", "permission denied")

    def test_directory(self):
        path = os.path.join(self.directory, "folder")
        os.mkdir(path)
        self.refused(path, "directory")

    def test_static(self):
        self.refused(process("hello_static"), "static")
        self.refused(process("hello_static_pie"), "static")

    def test_linked_with_address_sanitizer(self):
        self.refused(process("asan_linked"), "addresssanitizer")

    def test_32_bit(self):
        # ELFCLASS32, EM_386, one PT_INTERP segment: what a 32-bit dynamic program begins with.
        interpreter = b"/lib/ld-linux.so.2\0"
        header = b"\x7fELF\x01\x01\x01" + bytes(9)
        header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x8048000, 52, 0, 0, 52, 32, 1, 40, 0, 0)
        segment = struct.pack("<8I", 3, 84, 84, 84, len(interpreter), len(interpreter), 4, 1)
        self.refused(self.file(header + segment + interpreter), "32-bit", "32 bit")

    def test_of_another_machine(self):
        # ELFCLASS64, EM_AARCH64.
        interpreter = b"/lib/ld-linux-aarch64.so.1\0"
        header = b"\x7fELF\x02\x01\x01" + bytes(9)
        header += struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 120, 120, len(interpreter),
                              len(interpreter), 1)
        self.refused(self.file(header + segment + interpreter), "machine", "aarch64", "x86-64",
                     "architecture")

    def test_script_is_traced_through_its_interpreter(self):
        script = self.file(b"#!/bin/sh\necho from a script\nexit 4\n")
        run = self.side_by_side(script)
        self.assertEqual((run.status, run.stdout), (4, "from a script\n"))

    def test_wrong_usage(self):
        for arguments in (("run",), ("run", "--level", "loud", "--", "/bin/true"), ("report",),
                          ("no-such-verb",), ("run", "--no-such-option", "/bin/true")):
            with self.subTest(arguments):
                self.assertEqual(lastref(*arguments, cwd=self.directory).status, 2)

    def test_options_of_the_program_are_the_programs(self):
        run = self.run_program(["/bin/echo", "--level", "-o", "--"])
        self.assertEqual(run.stdout, "--level -o --\n")

    def test_summary_ends_with_path_and_command(self):
        run = self.run_program([process("hello")])
        self.assertEqual(run.stdout, "hello\n")
        lines = run.stderr.splitlines()
        self.assertLessEqual(len(lines), 10)
        self.assertIn(run.traces[0], "\n".join(lines[-2:]))
        self.assertIn("lastref report", lines[-1])

    def test_signal_is_named(self):
        run = self.run_program([process("exit_ways"), "sigterm"])
        self.assertEqual(run.status, 128 + 15)
        self.assertIn("SIGTERM", run.stderr)


class BadTraces(SideBySide):
    def write(self, content, name="bad.trace"):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def good(self):
        """The bytes of a whole trace."""
        run = self.preloaded(process("thread_crowd"))
        with open(run.traces[0], "rb") as file:
            return bytearray(file.read())

    def refused(self, path, *reasons, offset=True):
        for verb in ("report", "info", "events"):
            with self.subTest(verb=verb):
                result = lastref(verb, path)
                self.assertEqual(result.status, 3, repr(result))
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(path, result.stderr)
                if offset:
                    self.assertRegex(result.stderr, r"\b(offset|byte)\b|:\d+:")
                self.assertTrue(any(r in result.stderr.lower() for r in reasons), result.stderr)
                self.assertEqual(result.stdout, "")

    def test_missing(self):
        self.refused(os.path.join(self.directory, "absent.trace"), "no such file", offset=False)

    def test_directory(self):
        self.refused(self.directory, "directory", "regular", offset=False)

    def test_empty(self):
        self.refused(self.write(b""), "empty", "short", "too small", "truncated")

    def test_shorter_than_its_header(self):
        self.refused(self.write(bytes(self.good()[:1000])), "short", "too small", "truncated",
                     "header", "cut")

    def test_foreign(self):
        self.refused(self.write(b"\x7fELF" + bytes(8192)), "not a lastref trace", "magic")
        self.refused(self.write(b"text\n" * 4000), "not a lastref trace", "magic")
        self.refused(self.write(bytes(8192)), "not a lastref trace", "magic")

    def test_newer_version(self):
        trace = self.good()
        struct.pack_into("<I", trace, VERSION_OFFSET, 99)
        self.refused(self.write(trace), "version")
        result = lastref("report", self.write(trace))
        self.assertIn("99", result.stderr)

    def test_other_byte_order(self):
        trace = self.good()
        trace[12:16] = trace[12:16][::-1]
        self.refused(self.write(trace), "byte order", "endian")

    def test_header_only(self):
        """A process that died at once: nothing happened, and that can be read."""
        result = lastref("report", self.write(bytes(self.good()[:HEADER_SIZE])))
        self.assertIn(result.status, (0, 3), repr(result))

    def chunks(self, trace):
        """Offsets of the event chunks that hold records."""
        offset, found = HEADER_SIZE, []
        while offset + 64 <= len(trace):
            magic, kind, _, size, committed = struct.unpack_from("<IHHII", trace, offset)
            if magic != CHUNK_MAGIC or not size:
                offset += 4096
                continue
            if kind == 1 and committed > 256:
                found.append((offset, committed))
            offset += size
        return found

    def damaged_late(self, damage):
        trace = self.good()
        whole = report(self.write(trace, "whole.trace"))
        chunks = self.chunks(trace)
        self.assertGreater(len(chunks), 10)
        damage(trace, *chunks[-1])
        path = self.write(trace)
        text = lastref("report", path)
        self.assertEqual(text.status, 0, repr(text))
        self.assertRegex(text.stdout.splitlines()[0].lower(), r"damage|truncat|incomplete")
        self.assertIn(path, text.stdout.splitlines()[0])
        found = report(path)
        self.assertFalse(found["processes"][0]["complete"])
        before = whole["processes"][0]["events"]
        self.assertGreater(found["processes"][0]["events"], before // 2)
        self.assertLess(found["processes"][0]["events"], before)

    def test_damaged_records_late(self):
        def damage(trace, offset, committed):
            middle = offset + 64 + committed // 2
            trace[middle : middle + 64] = b"\xff" * 64
        self.damaged_late(damage)

    def test_damaged_chunk_header_late(self):
        def damage(trace, offset, committed):
            struct.pack_into("<I", trace, offset + 8, 0xFFFFFFF0)  # its size
        self.damaged_late(damage)

    def test_truncated(self):
        def damage(trace, offset, committed):
            del trace[offset + 64 + committed // 2 :]
        self.damaged_late(damage)

    def test_one_bad_among_good(self):
        good = self.write(self.good(), "good.trace")
        result = lastref("report", good, self.write(b"nonsense"))
        self.assertEqual(result.status, 3, repr(result))
        self.assertIn("bad.trace", result.stderr)


class FullOutput(SideBySide):
    """Standard output that takes nothing: no verb takes that for success."""

    def test_every_verb_says_so(self):
        trace = self.preloaded(process("hello")).traces[0]
        for arguments in (("report", trace), ("report", trace, "--format", "json"),
                          ("events", trace), ("info", trace), ("diff", trace, trace),
                          ("export", trace, "--format", "folded"), ("--help",), ("--version",),
                          ("hooks", "list"), ("hooks", "new", SHIM)):
            for stdout, reason in ((">/dev/full", "No space left"), (">&-", "Bad file descriptor")):
                with self.subTest(f"{arguments} {stdout}"):
                    run = plain(["/bin/sh", "-c", f'exec "$0" "$@" {stdout}', LASTREF, *arguments])
                    self.assertEqual(run.status, 2, repr(run))
                    self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
                    self.assertIn(f"standard output: can't be written: {reason}", run.stderr)


if __name__ == "__main__":
    unittest.main()
