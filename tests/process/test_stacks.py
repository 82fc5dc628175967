"""Every stack that the shim takes, compared with libunwind's while the program runs."""

import os
import shutil
import tempfile
import unittest

from lastref_testing import clean_environment, plain
from side_by_side import SideBySide, process

SHIM = os.path.join(os.environ["LASTREF_BUILD"], "shim", "liblastref_checked.so")


class Stacks(SideBySide):
    def compare(self, argv, timeout=200):
        work = tempfile.mkdtemp(dir=self.directory)
        log = os.path.join(work, "compared")
        environment = clean_environment({
            "LD_PRELOAD": SHIM, "LASTREF_LEVEL": "paranoid", "LASTREF_CHECK_LOG": log,
            "LASTREF_OUT": os.path.join(work, "%e.%p.%n.trace")})
        run = plain(argv, env=environment, cwd=work, timeout=timeout)
        self.assertEqual(run.status, 0, run.stderr)
        with open(log) as file:
            lines = file.read().splitlines()
        self.assertIn("comparing", lines)
        wrong = [i for i, line in enumerate(lines) if line.startswith(("differs", "not met"))]
        self.assertEqual(wrong, [], "\n".join(lines[wrong[0]:wrong[0] + 40]) if wrong else "")

    # Not unusual_callers: its unwind tables do not tell the truth, and the two end differently.
    def test_our_own_programs(self):
        for name in ("thread_churn", "deep_exceptions", "long_jump", "deep_recursion", "before_main",
                     "library_reload", "signal_alternate_stack", "coroutines",
                     "tls_destructors", "mappings"):
            with self.subTest(program=name):
                self.compare([process(name)])

    def test_system_programs(self):
        for argv in (["ls", "-la", "/"], ["/usr/bin/python3", "-c", "import json, decimal"],
                     ["perl", "-e", "print join ',', map { $_ * 2 } 1 .. 1000"],
                     ["git", "--version"], ["sqlite3", ":memory:", "select sqlite_version()"],
                     ["bash", "-c", "for i in 1 2 3; do (echo $i | cat); done"]):
            if shutil.which(argv[0]):
                with self.subTest(program=argv[0]):
                    self.compare(argv)

    def test_compiler(self):
        source = os.path.join(self.directory, "compared.cpp")
        with open(source, "w") as file:
            file.write("#include <vector>\nstd::vector<int> numbers(3);\n")
        self.compare(["clang++", "-c", source, "-o", source + ".o"])


if __name__ == "__main__":
    unittest.main()
