"""A hundred programs of /usr/bin, asked for their version and for help: whatever each of them does,
it does the same with lastref."""

import glob
import os
import signal
import stat
import struct
import subprocess
import tempfile
import unittest

from side_by_side import SideBySide
from lastref_testing import clean_environment, plain, report, run

PROGRAMS = 100
FOLDER = "/usr/bin"
# Programs whose output depends on the moment or the machine's state, which wait for a terminal, or which
# change the machine.
LEFT_OUT = ("X", "Xorg", "dbus-", "login", "passwd", "su", "sudo", "systemd", "systemctl", "wall",
            "write", "mesg", "heaptrack", "lastref", "gdb", "strace", "ltrace", "perf", "screen",
            "tmux", "yes", "watch", "top", "script", "dpkg", "apt", "chsh", "chfn", "unshare",
            "nsenter", "setarch", "reset", "tset", "clear", "busctl", "journalctl", "loginctl")


def dynamic_program(path):
    """Whether path is a dynamically linked 64-bit ELF program that is not set-uid."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return False
    with open(path, "rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:5] != b"\x7fELF\x02":
            return False
        start, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(start)
        segments = file.read(size * count)
    return any(struct.unpack_from("<I", segments, i * size)[0] == 3 for i in range(count))


def programs():
    """About PROGRAMS of them, evenly spread over the names in use here."""
    found, seen = [], set()
    for name in sorted(os.listdir(FOLDER)):
        path = os.path.join(FOLDER, name)
        real = os.path.realpath(path)
        if name.startswith(LEFT_OUT) or real in seen or not os.access(path, os.X_OK):
            continue
        seen.add(real)
        if dynamic_program(real):
            found.append(path)
    step = max(1, len(found) // PROGRAMS)
    return found[::step][:PROGRAMS]


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


class Sweep(SideBySide):
    def test_version_and_help(self):
        chosen = programs()
        self.assertGreaterEqual(len(chosen), 50, "too few programs to call it a sweep")
        compared = 0
        for path in chosen:
            for option in ("--version", "--help"):
                with self.subTest(program=path, option=option):
                    compared += self.compare(path, option)
        self.assertGreaterEqual(compared, len(chosen), "too few of them repeat themselves")

    def waits(self, argv, environment, work):
        """Whether it waits for something: in ten seconds none of its threads ran or wanted to."""
        program = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=clean_environment(environment),
                                   cwd=work, start_new_session=True)
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

    def compare(self, path, option):
        """1 where there was something to compare: plain runs agree with each other."""
        work = tempfile.mkdtemp(dir=self.directory)
        environment = {"HOME": work, "LC_ALL": "C"}
        argv = [path, option]
        if self.waits(argv, environment, work):
            return 0
        first, second = (plain(argv, env=environment, cwd=work) for _ in range(2))
        if (first.status, first.stdout) != (second.status, second.stdout):
            return 0
        traced = run(argv, env=environment, cwd=work, out=tempfile.mkdtemp(dir=self.directory))
        self.assert_same(first, traced)
        for found in report(traced.traces)["processes"]:
            # A program that sandboxes itself (man) may take away what the trace needs to grow.
            if "seccomp" not in "".join(found["warnings"]):
                self.assertTrue(found["complete"], found)
        return 1


if __name__ == "__main__":
    unittest.main()
