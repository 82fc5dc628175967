"""Runs scripts/leak-gate with a folder for temporary files of its own, which must be empty after."""

import os

from lastref_testing import LASTREF, LastrefTest, plain, program

GATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "leak-gate")
HEAP_LEAK = program("lifecycle/heap_leak")  # 25 blocks in one place, 4 in another
CLEAN = [program("gate/short_children"), "2"]


class GateTest(LastrefTest):
    def setUp(self):
        super().setUp()
        self.temporary = os.path.join(self.directory, "tmp")
        os.mkdir(self.temporary)
        self.environment = {"TMPDIR": self.temporary, "LASTREF": LASTREF}

    def path(self, name, text=None):
        """A path in the test's folder; a file is made of `text`."""
        path = os.path.join(self.directory, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def gate(self, *arguments, env=None):
        """The arguments up to '--' are the gate's."""
        run = plain([GATE, *arguments], env={**self.environment, **(env or {})},
                    cwd=self.directory)
        self.assertEqual(os.listdir(self.temporary), [], "temporary files are left")
        return run

    def assert_gate(self, status, *arguments, says="", **options):
        run = self.gate(*arguments, **options)
        self.assertEqual(run.status, status, repr(run))
        self.assertIn(says, run.stderr)
        return run
