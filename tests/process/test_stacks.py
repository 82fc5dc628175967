"""Every stack that the shim takes, compared with libunwind's while the program runs.

shim/stack_check.cpp compares, and logs each difference with its kind. A program's stacks may differ
in the kinds that its test permits and no other: 'no-table' where a frame's code has no unwind table
(a JIT's), so that either walk may end there or follow what it takes for a frame pointer; 'no-rule'
where the table needs more registers than the frame rules know, so that ours ends; 'at-return' where
a signal came at a return and libunwind reads rbp from a slot that is none any more; 'landing' where
one came while libgcc landed an exception.
"""

import os
import re
import shutil
import tempfile
import unittest

from lastref_testing import clean_environment, plain, program
from side_by_side import SideBySide, process

SHIM = os.path.join(os.environ["LASTREF_BUILD"], "shim",
                    os.environ.get("LASTREF_CHECKED", "liblastref_checked.so"))
# The lazy binding of a call keeps its frame in rbx, and a signal may come in the middle of it.
LAZY_BINDING = r"no-rule called in \S*/ld-linux-x86-64\.so\.2"
# Prologues that realign the stack keep the frame in r10 for a few instructions.
PROLOGUE = r"no-rule interrupted in \S+"
# Libgcc's own frames while an exception lands: both walks may go astray (is_landing).
LANDING = r"landing in \S+"
# A prologue that realigns saves rbp where rbp points, and in the epilogue the table still says so.
AT_RETURN = r"at-return in \S+"
# A JIT's code without a frame, or a signal in its prologue: either walk may take rbp for a frame.
NO_TABLE = r"no-table( ours-ends| theirs-ends)? in nowhere"
IN_HANDLERS = (LAZY_BINDING, PROLOGUE, LANDING, AT_RETURN, NO_TABLE)


def stacks(name):
    return program(os.path.join("stacks", name))


class Comparing(SideBySide):
    def compare(self, argv, permitted=(), depth=128, behind=None, least=1, status=0, env=None):
        work = tempfile.mkdtemp(dir=self.directory)
        log = os.path.join(work, "compared")
        environment = clean_environment({
            "LD_PRELOAD": f"{SHIM} {behind}" if behind else SHIM, "LASTREF_LEVEL": "paranoid",
            "LASTREF_DEPTH": depth, "LASTREF_CHECK_LOG": log,
            "LASTREF_OUT": os.path.join(work, "%e.%p.%n.trace"), **(env or {})})
        run = plain(argv, env=environment, cwd=work)
        self.assertEqual(run.status, status, run.stderr)
        with open(log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        compared = [int(line.split()[1]) for line in lines if line.startswith("compared ")]
        self.assertIn(f"comparing, {depth} frames at most", lines)
        if least > 1:  # else the program may end by _exit, and count nothing
            self.assertGreaterEqual(max(compared), least)
        wrong = [i for i, line in enumerate(lines) if line.startswith(("differs", "not met"))]
        wrong += [i for i, line in enumerate(lines) if line.startswith("cut ") and not any(
            re.fullmatch(f"cut {kind} end [0-2]", line) for kind in permitted)]
        self.assertEqual(wrong, [], "\n".join(lines[wrong[0]:wrong[0] + 40]) if wrong else "")


class OwnPrograms(Comparing):
    # Not unusual_callers: its unwind tables are wrong, and the two end differently. Nor
    # what forks while other threads run, or loads libraries in several (reload_threads): libunwind's
    # locks do not survive that.
    def test_our_own_programs(self):
        for name in ("thread_churn", "thread_names", "deep_exceptions", "long_jump",
                     "deep_recursion", "before_main", "library_reload", "local_plugin",
                     "origin_path", "signal_alternate_stack", "coroutines", "tls_destructors",
                     "mappings", "aligned", "realloc_edges", "own_operator_new", "fork_child",
                     "fixed_address", "huge_allocation"):
            with self.subTest(program=name):
                self.compare([process(name)])

    def test_lifecycle_programs(self):
        for name in ("bounded_cache", "heap_leak", "moved_buffer", "mapping_leak"):
            with self.subTest(program=name):
                self.compare([program(os.path.join("lifecycle", name))])


class Torture(Comparing):
    def variants(self):
        folder = stacks("")
        names = sorted(n for n in os.listdir(folder) if re.fullmatch(r"torture_(gcc|clang)_\w+", n))
        self.assertIn("torture_gcc_O2", names)
        return names

    def test_every_layout(self):
        for name in self.variants():
            with self.subTest(program=name):
                self.compare([stacks(name)], least=9000)

    def test_cut_at_the_limit(self):
        for depth in (8, 16, 40):
            for name in ("torture_gcc_O2", "torture_clang_O2", "memo_stress"):
                with self.subTest(program=name, depth=depth):
                    self.compare([stacks(name)], depth=depth, least=4000)

    def test_stacks_that_look_alike(self):
        self.compare([stacks("memo_stress")], least=4000)

    def test_signals_at_each_instruction(self):
        behind = process("libsignal_safe_malloc.so")
        for name in ("torture_gcc_O2", "torture_gcc_Os", "torture_gcc_O3", "torture_clang_O2"):
            with self.subTest(program=name):
                self.compare([stacks(name), "steps"], behind=behind, least=20000,
                             permitted=IN_HANDLERS)

    def test_signals_at_any_instruction(self):
        behind = process("libsignal_safe_malloc.so")
        for name in ("torture_gcc_O2", "torture_gcc_Os", "torture_clang_O2"):
            for depth in (16, 128):
                with self.subTest(program=name, depth=depth):
                    self.compare([stacks(name), "storm"], depth=depth, behind=behind, least=9000,
                                 permitted=IN_HANDLERS)


class Programs(Comparing):
    def compare_if_there(self, *commands, **options):
        for argv in commands:
            if shutil.which(argv[0]):
                with self.subTest(program=argv[0]):
                    self.compare(list(argv), **options)

    def test_small_ones(self):
        self.compare_if_there(
            ["ls", "-la", "/"], ["/usr/bin/python3", "-c", "import json, decimal"],
            ["perl", "-e", "print join ',', map { $_ * 2 } 1 .. 1000"],
            ["git", "--version"], ["sqlite3", ":memory:", "select sqlite_version()"],
            ["bash", "-c", "for i in 1 2 3; do (echo $i | cat); done"], ["nginx", "-v"],
            ["redis-server", "--version"], ["ffmpeg", "-version"])

    def test_servers_and_media(self):
        settings = os.path.join(self.directory, "nginx.conf")
        with open(settings, "w", encoding="ascii") as file:
            file.write(f"pid {self.directory}/nginx.pid; error_log stderr; events {{ }} "
                       f"http {{ access_log off; server {{ listen unix:{self.directory}/web; }} }}")
        self.compare_if_there(
            ["nginx", "-t", "-p", self.directory, "-c", settings],
            ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=30", "!", "videoconvert", "!",
             "queue", "!", "fakesink"],
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i",
             "testsrc=duration=1:size=64x48", "-f", "null", "-"], least=2000)

    def test_a_jit(self):
        self.compare_if_there(["java", "-version"], permitted=(NO_TABLE,), least=2000)

    def test_compilers(self):
        source = os.path.join(self.directory, "compared.cpp")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <vector>\nstd::vector<int> numbers(3);\n")
        self.compare_if_there(["clang++", "-c", source, "-o", source + ".o"],
                              ["g++", "-c", source, "-o", source + ".o"])


if __name__ == "__main__":
    unittest.main()
