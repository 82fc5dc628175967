"""All dynamically linked programs of /usr/bin, asked for their version and for help: each answers
the same with the shim as without it."""

import os
import shutil
import tempfile
import unittest

import usr_bin
from comparing import (LEVELS, PLAIN, Setting, differences, in_parallel, incomplete, started)
from side_by_side import SideBySide
from waiting import waits

OPTIONS = ("--version", "--help")
# Of the commands, at most so many may answer differently each time or wait for something: they
# can't be compared.
UNSTABLE_SHARE = 0.03
# Where an answer differs the program alone is asked so often more whether its own answers do: two of
# its processes may write in either order (groff --version).
MORE_PLAIN_RUNS = 30


class Answer:
    """What came of one command."""

    def __init__(self, path, option):
        self.command = f"{path} {option}"
        self.argv = [path, option]
        self.stable = True
        self.faults = []


class UsrBin(SideBySide):
    def test_version_and_help(self):
        programs = usr_bin.programs()
        self.assertGreaterEqual(len(programs), 200, "too few programs to call it a sweep")
        answers = [Answer(path, option) for path in programs for option in OPTIONS]
        in_parallel(self.ask, answers)
        unstable = [a.command for a in answers if not a.stable]
        faults = [f"{a.command}: {fault}" for a in answers for fault in a.faults]
        print(f"{len(programs)} programs, {len(answers)} commands, of which {len(unstable)} answer "
              f"differently each time: {', '.join(unstable)}")
        self.assertEqual(faults, [], "\n".join(faults))
        self.assertLessEqual(len(unstable), UNSTABLE_SHARE * len(answers), unstable)

    def ask(self, answer):
        folder = tempfile.mkdtemp(dir=self.directory)
        try:
            self.compare(answer, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def compare(self, answer, folder):
        def run(setting):
            # The same path each time: programs print their own working directory.
            work = os.path.join(folder, "work")
            shutil.rmtree(work, ignore_errors=True)
            os.mkdir(work)
            return started(answer.argv, setting, work)

        if waits(answer.argv, {"HOME": folder, "LC_ALL": "C"}, folder):
            answer.stable = False
            return
        first, second = run(PLAIN), run(PLAIN)
        if differences(first, second, stderr=False):
            answer.stable = False
            return
        stderr = first.stderr == second.stderr
        for level in LEVELS:
            try:
                traced = run(Setting(level))
            except AssertionError as hangs:
                answer.faults.append(f"{level}: {hangs}")
                continue
            found = differences(first, traced, stderr)
            if found and any(differences(first, run(PLAIN), stderr)
                             for _ in range(MORE_PLAIN_RUNS)):
                answer.stable = False
                return
            if found:
                answer.faults.append(f"{level}: {found}")
            elif level != "disabled":
                answer.faults += [f"{level}: {fault}" for fault in incomplete(traced.traces)]
            elif traced.traces:
                answer.faults.append(f"{level}: {traced.traces} were made")


if __name__ == "__main__":
    unittest.main()
