"""Whether a program waits for something that never comes, found without a time limit for its work."""

import glob
import os
import signal
import subprocess

from lastref_testing import clean_environment


def switches(session):
    """How often the threads of a session were switched to; None where one runs, or wants to."""
    sums = []
    for status in glob.glob("/proc/[0-9]*/task/*/status"):
        try:
            with open(os.path.join(os.path.dirname(status), "stat"), encoding="utf-8") as file:
                state, *fields = file.read().rpartition(")")[2].split()
            if int(fields[2]) != session:
                continue
            if state in "RD":
                return None
            with open(status, encoding="utf-8") as file:
                sums += [(status, line) for line in file if "ctxt_switches" in line]
        except (FileNotFoundError, ProcessLookupError):
            return None
    return sorted(sums)


def waits(argv, environment, folder):
    """Whether argv waits for something: in ten seconds none of its threads ran or wanted to."""
    program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=clean_environment(environment),
                               cwd=folder, start_new_session=True)
    before = None
    while True:
        try:
            program.wait(timeout=10)
            return False
        except subprocess.TimeoutExpired:
            now = switches(program.pid)
            if now is not None and now == before:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()
                return True
            before = now
