"""Shared by the benchmarks: where things are, runs that take turns, a table with targets.

Every script is called with [RUNS] [--quick]: how many rounds (5 or more for a claim), and a tiny
workload that only shows that the script works. LASTREF names the command to measure, else it is the
one in ./build; the shim and the programs that are measured are looked for beside it. Exit status: 0;
2 where something that is needed is missing; 1 where a measured program failed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = os.path.basename(sys.argv[0])


def fail(message, status=2):
    print(f"{NAME}: {message}", file=sys.stderr)
    sys.exit(status)


def arguments(description, runs=5):
    """The common options; `runs` is the default number of rounds."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench/{NAME}", description=description.strip(),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUNS", nargs="?", type=int, default=None,
                        help=f"rounds, default {runs}")
    parser.add_argument("--quick", action="store_true",
                        help="one round of a tiny workload: shows that the script works, no more")
    given = parser.parse_args()
    if given.runs is None:
        given.runs = 1 if given.quick else runs
    if given.runs < 1:
        parser.error("RUNS is at least 1")
    return given


def require(tool, package):
    return shutil.which(tool) or fail(f"{tool} is missing: apt-get install {package}")


def find_lastref():
    """Named by LASTREF, in the build tree beside this script, or on PATH."""
    named = os.environ.get("LASTREF")
    built = os.path.join(ROOT, "build", "analyzer", "lastref")
    for candidate in (named, None if named else built):
        if candidate and os.access(candidate, os.X_OK):
            return os.path.abspath(candidate)
    return (None if named else shutil.which("lastref")) or fail(
        f"no lastref command at {named or built}; build it (meson compile -C build) or set LASTREF")


def find_shim(lastref):
    """liblastref.so for that command, in its build or install tree."""
    named = os.environ.get("LASTREF_SHIM")
    beside = [os.path.join(os.path.dirname(os.path.realpath(lastref)), folder, "liblastref.so")
              for folder in ("../shim", "../lib/x86_64-linux-gnu", "../lib64", "../lib")]
    for path in [named] if named else beside:
        if os.path.isfile(path):
            return os.path.realpath(path)
    return fail(f"no liblastref.so at {named or beside[0]}; build it or set LASTREF_SHIM")


def find_program(name, otherwise=""):
    """A program from tests/programs/bench, compiled in ./build or where LASTREF_PROGRAMS says.
    `otherwise`: what it needs to be built, for the message."""
    folder = os.environ.get("LASTREF_PROGRAMS", os.path.join(ROOT, "build", "tests", "programs"))
    path = os.path.abspath(os.path.join(folder, "bench", name))
    return path if os.access(path, os.X_OK) else fail(
        f"{path} is not there; build it (meson compile -C build)" + otherwise)


def run(command, directory, **variables):
    """Runs it in `directory`, in this environment without settings of lastref or the loader and with
    `variables`. Returns the seconds it took and what it wrote; ends this script where it fails."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("LD_PRELOAD", "GST_TRACERS")
                   and (not name.startswith("LASTREF_") or name == "LASTREF_SHIM")}
    with tempfile.TemporaryFile(dir=directory) as output:
        begin = time.monotonic()
        status = subprocess.call(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=output, env={**environment, **variables})
        seconds = time.monotonic() - begin
        output.seek(0)
        written = output.read().decode(errors="replace")
    if status != 0:
        fail(f"{' '.join(command)}: status {status}\n{written[-2000:]}", 1)
    return seconds, written


def run_program(command, directory, **variables):
    """The JSON object that a program of tests/programs/bench prints. The output of a tool around it is
    passed over."""
    written = run(command, directory, **variables)[1]
    for line in written.splitlines():
        begin = line.find('{"')
        if begin >= 0:
            return json.JSONDecoder().raw_decode(line[begin:])[0]
    return fail(f"{' '.join(command)}: printed no result\n{written[-2000:]}", 1)


def clear(directory, *starts):
    """Removes the files whose names begin so."""
    for name in os.listdir(directory):
        if name.startswith(starts):
            os.remove(os.path.join(directory, name))


def temporary_directory():
    return tempfile.TemporaryDirectory(prefix="lastref-bench-")


class Rounds:
    """Ways to do the same work, measured in turns so that a busy moment of the machine hits all of
    them. `ways`: from a name to a function that does the work once and returns a number."""

    def __init__(self, ways, runs):
        self.rounds = [{name: measure() for name, measure in ways.items()} for _ in range(runs)]

    def median(self, name):
        return statistics.median(turn[name] for turn in self.rounds)

    def added(self, name, base="plain"):
        return statistics.median(turn[name] - turn[base] for turn in self.rounds)

    def ratio(self, dividend, divisor):
        """The median over the rounds, the least and the greatest, of dividend(round) / divisor(
        round); not a number where a divisor is not positive, as only a disturbed round's is."""
        values = [dividend(turn) / divisor(turn) if divisor(turn) > 0 else float("nan")
                  for turn in self.rounds]
        return statistics.median(values), min(values), max(values)

    def added_ratio(self, dividend, divisor, base="plain"):
        return self.ratio(lambda turn: turn[dividend] - turn[base],
                          lambda turn: turn[divisor] - turn[base])

    def plain_ratio(self, dividend, base="plain"):
        return self.ratio(lambda turn: turn[dividend], lambda turn: turn[base])


def print_target(what, value, least=None, most=None, spread=None, digits=2):
    """One line of the verdict: a measured value, its spread over the rounds, and what it must reach
    if there is a target."""
    line = f"  {what:48}{value:9.{digits}f}"
    if spread:
        line += f" ({spread[0]:.{digits}f} to {spread[1]:.{digits}f})"
    if least is not None:
        line += f"  target >= {least}: {'reached' if value >= least else 'MISSED'}"
    if most is not None:
        line += f"  target <= {most}: {'reached' if value <= most else 'MISSED'}"
    print(line, flush=True)


def print_ratio(what, ratio, **limits):
    """print_target for what Rounds.ratio returned."""
    print_target(what, ratio[0], spread=ratio[1:], **limits)
