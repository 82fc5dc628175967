"""Runs a program without and with lastref and compares; counts what a trace holds.

Shared by the tests of this folder, on top of tests/support/lastref_testing.py.
"""

import collections
import functools
import os
import re
import subprocess
import tempfile
import unittest

from lastref_testing import LASTREF, LastrefTest, events, plain, program, report, traces_in

_BUILD = os.environ.get("LASTREF_BUILD", os.path.dirname(os.path.dirname(LASTREF)))
SHIM = os.path.abspath(
    os.environ.get("LASTREF_SHIM", os.path.join(_BUILD, "shim", "liblastref.so"))
)


def process(name):
    """The path of a program of tests/programs/process."""
    return program(os.path.join("process", name))


def shim_lines(stderr):
    """The shim's messages: the lines that begin with its name."""
    return [line for line in stderr.splitlines() if line.startswith("lastref:")]


def preloading(directory, **variables):
    """The environment that traces a program by LD_PRELOAD alone, without `lastref run`."""
    environment = {
        "LD_PRELOAD": SHIM,
        "LASTREF_LEVEL": "paranoid",
        "LASTREF_OUT": os.path.join(directory, "%e.%p.%n.trace"),
    }
    environment.update({"LASTREF_" + name: value for name, value in variables.items()})
    return environment


class Balance:
    """Heap blocks begun and ended, by size, as the merged events show.

    Fails where an address begins a second life before its first one ended: then the order of the
    trace is not the order in which things happened.
    """

    def __init__(self, trace):
        self.begun = collections.Counter()
        self.ended = collections.Counter()
        self.ops = collections.Counter()
        self.live = {}
        self.reallocated = {}  # by thread: size of the block that a realloc is at
        self.unknown_frees = 0
        for event in events(trace):
            self._take(event)

    def _take(self, event):
        op = event["op"]
        self.ops[op] += 1
        if op in ("malloc", "calloc", "memalign"):
            self._begin(event)
        elif op == "free":
            self._end(event["address"])
        elif op == "realloc-begin":
            # The old block's life ends here, unless the realloc that follows says that it failed.
            self.reallocated[event["thread"]] = self._end(event["address"])
        elif op == "realloc":
            size = self.reallocated.pop(event["thread"], None)
            if int(event["address"], 16) != 0:
                self._begin(event)
            elif size is not None:
                self.live[event["from"]] = size
                self.ended[size] -= 1

    def _begin(self, event):
        address = event["address"]
        if address in self.live:
            raise AssertionError(f"{address} begins again while {self.live[address]} bytes live: "
                                 f"{event}")
        self.live[address] = event["size"]
        self.begun[event["size"]] += 1

    def _end(self, address):
        size = self.live.pop(address, None)
        if size is None:
            self.unknown_frees += 1
        else:
            self.ended[size] += 1
        return size

    def of(self, size):
        """(begun, ended) of blocks of this size."""
        return self.begun[size], self.ended[size]


class SideBySide(LastrefTest):
    """Test cases that compare a run under lastref with a plain one."""

    def assert_same(self, expected, actual):
        self.assertEqual(actual.status, expected.status, repr(actual))
        self.assertEqual(actual.stdout, expected.stdout, repr(actual))

    def assert_traces_complete(self, traces):
        """Every trace can be read and lost nothing. Their common report."""
        self.assertTrue(traces, "no trace was written")
        found = report(traces)
        self.assertEqual(len(found["processes"]), len(traces))
        self.assert_complete(found)
        return found

    def side_by_side(self, *argv, env=None, cwd=None, input=None, binary=False):
        """argv without and with lastref: same output, same status, all traces complete.

        The run under lastref; `report` is set to the report of all its traces.
        """
        expected = plain(argv, env=env, cwd=cwd, input=input, binary=binary)
        actual = self.run_program(list(argv), env=env, cwd=cwd, input=input,
                                  binary=binary)
        self.assert_same(expected, actual)
        actual.plain_stderr = expected.stderr
        actual.report = self.assert_traces_complete(actual.traces)
        return actual

    def assert_clean(self, run):
        """A program that frees all it allocates is accused of nothing."""
        self.assertEqual([(f["kind"], f["count"], f["created"][:3])
                          for f in run.report["findings"]], [])

    def preloaded(self, *argv, env=None, directory=None, cwd=None, **variables):
        """argv under LD_PRELOAD alone; LASTREF_<name> from `variables`. Says at most one line."""
        directory = directory or tempfile.mkdtemp(dir=self.directory)
        environment = preloading(directory, **variables)
        environment.update(env or {})
        actual = plain(argv, env=environment, cwd=cwd)
        actual.traces = traces_in(directory)
        return actual

    def assert_says_at_most_once(self, actual):
        self.assertLessEqual(len(shim_lines(actual.stderr)), 1, actual.stderr)


def process_of(found, predicate):
    """The only process of a report for which `predicate` holds."""
    matches = [p for p in found["processes"] if predicate(p)]
    if len(matches) != 1:
        raise AssertionError(f"{len(matches)} processes match, of {found['processes']}")
    return matches[0]


def pid_in_name(trace):
    """The %p of a trace named %e.%p.%n.trace."""
    return int(re.search(r"\.(\d+)\.\d+\.trace$", trace).group(1))


def needs(*programs):
    """Skips a test where a program of the machine is missing; in CI that is a failure."""
    def decorate(test):
        @functools.wraps(test)
        def checked(self, *arguments):
            for name in programs:
                found = subprocess.run(["/bin/sh", "-c", f"command -v {name}"],
                                       stdout=subprocess.DEVNULL, check=False).returncode == 0
                if not found and os.environ.get("CI") == "true":
                    self.fail(f"{name} is not installed; see scripts/lib/packages.sh")
                if not found:
                    raise unittest.SkipTest(f"{name} is not installed")
            return test(self, *arguments)
        return checked
    return decorate
