"""Runs programs under lastref and reads back what it says. Shared by all Python tests.

Standard library only. Meson sets LASTREF (the command) and LASTREF_PROGRAMS (the directory of the
compiled test programs); run by hand, both are looked for in ./build.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

LASTREF = os.path.abspath(os.environ.get("LASTREF", "build/analyzer/lastref"))
# Seconds. What has not ended by then hangs, however busy the machine is. Below the suite's own limit
# (tests/meson.build), so that the test can name what hung.
HANG = 1200

PROGRAMS = os.path.abspath(os.environ.get("LASTREF_PROGRAMS", "build/tests/programs"))


class Run:
    """A finished run. `status` as a shell sees it: 128 + N where signal N ended the command."""

    def __init__(self, status, stdout, stderr, traces=()):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.traces = list(traces)

    def __repr__(self):
        return f"status {self.status}, traces {self.traces}, stderr:\n{self.stderr}"


def program(name):
    """The path of a compiled test program."""
    return os.path.join(PROGRAMS, name)


def clean_environment(extra=None):
    """The environment without what would steer lastref from outside the test."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "LD_PRELOAD" and not (name.startswith("LASTREF_") and name != "LASTREF_SHIM")
    }
    kept.update({name: str(value) for name, value in (extra or {}).items()})
    return kept


def _finish(argv, env, cwd, input, binary):
    """Runs argv in a process group of its own, so that a test that hangs leaves nothing behind."""
    child = subprocess.Popen(
        [str(a) for a in argv],
        stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(env),
        cwd=cwd,
        start_new_session=True,
    )
    if isinstance(input, str):
        input = input.encode()
    try:
        stdout, stderr = child.communicate(input, timeout=HANG)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        stdout, stderr = child.communicate()
        raise AssertionError(
            f"{argv} did not end within {HANG} s; stderr:\n{stderr.decode(errors='replace')}"
        ) from None
    status = child.returncode if child.returncode >= 0 else 128 - child.returncode
    stderr = stderr.decode(errors="replace")
    return Run(status, stdout if binary else stdout.decode(errors="replace"), stderr)


def plain(argv, env=None, cwd=None, input=None, binary=False):
    """Runs argv without lastref."""
    return _finish(argv, env, cwd, input, binary)


def run(argv, level=None, env=None, out=None, cwd=None, input=None, binary=False,
        options=()):
    """Runs argv under `lastref run`, traces going to `out`: a new directory, or one of the test's.

    Traces of forked and exec'ed programs are there too; `traces` lists all, the oldest first.
    """
    out = out or tempfile.mkdtemp(prefix="lastref-test-")
    command = [LASTREF, "run", "-o", os.path.join(out, "%e.%p.%n.trace")]
    if level:
        command += ["--level", level]
    result = _finish([*command, *options, "--", *argv], env, cwd, input, binary)
    result.traces = traces_in(out)
    return result


def traces_in(directory):
    """The traces in a directory, in the order in which they were begun."""
    found = [os.path.join(directory, n) for n in os.listdir(directory) if n.endswith(".trace")]
    return sorted(found, key=_begun)


def _begun(trace):
    # TraceHeader::start_ticks, where the header is whole: file times are too coarse.
    with open(trace, "rb") as file:
        file.seek(104)
        return (int.from_bytes(file.read(8), "little"), trace)


def lastref(*arguments, env=None, cwd=None):
    """Runs another lastref command."""
    return _finish([LASTREF, *arguments], env, cwd, None, False)


def _checked(*arguments):
    result = lastref(*arguments)
    if result.status != 0:
        raise AssertionError(f"lastref {arguments}: {result}")
    return result.stdout


def report(traces, *options):
    """The JSON report of one trace or several."""
    traces = [traces] if isinstance(traces, str) else list(traces)
    return json.loads(_checked("report", *traces, "--format", "json", *options))


def text_report(traces, *options):
    traces = [traces] if isinstance(traces, str) else list(traces)
    return _checked("report", *traces, *options)


def info(trace):
    return _checked("info", trace)


def events(trace, *options):
    """Every record in order, as dictionaries."""
    command = [LASTREF, "events", trace, *options]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=clean_environment()
        )
        ended = False
        try:
            for line in child.stdout:
                yield json.loads(line)
            ended = True
        finally:
            child.stdout.close()
            status = child.wait()
            if ended and status != 0:
                errors.seek(0)
                raise AssertionError(f"{command}: status {status}: {errors.read().decode()}")


def findings(report, kind=None, type=None):
    """The findings of a report, by kind and type."""
    return [
        f
        for f in report["findings"]
        if (kind is None or f["kind"] == kind) and (type is None or f["type"] == type)
    ]


def build_id(path):
    """As in an ELF file's note, in hexadecimal."""
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True)
    return re.search(r"Build ID: ([0-9a-f]+)", notes.stdout).group(1)


def strip_to(path, stripped, debug_folder):
    """A copy of the ELF file without names; those go to where debuggers look in `debug_folder`."""
    id = build_id(path)
    debug = os.path.join(debug_folder, ".build-id", id[:2], id[2:] + ".debug")
    os.makedirs(os.path.dirname(debug), exist_ok=True)
    subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
    subprocess.run(["objcopy", "--strip-all", path, stripped], check=True)


class LastrefTest(unittest.TestCase):
    """A test case with a directory of its own (`self.directory`), removed at its end."""

    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lastref-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def run_program(self, argv, **options):
        """run(), with the traces below self.directory."""
        if isinstance(argv, str):
            argv = [argv]
        out = tempfile.mkdtemp(dir=self.directory)
        return run(argv, out=out, **options)

    def rule_file(self, text):
        """A rule file in self.directory; its path."""
        path = os.path.join(self.directory, "test.rules")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def assert_exits(self, result, status=0):
        self.assertEqual(result.status, status, repr(result))

    def assert_complete(self, report):
        """Nothing was lost: what the report says is all that happened."""
        for process in report["processes"]:
            self.assertTrue(process["complete"], process)
            self.assertEqual(process["lost"], 0, process)
