"""How a program is run in each setting of the sweep, and how two of its runs are compared.

A Setting is a way to start a program: plain or with the shim at a level, behind or before another
preloaded library, below a tracer, as another user. Trial runs one command in one setting in a fresh
folder. `in_parallel` runs many trials on all processors.
"""

import concurrent.futures
import dataclasses
import os
import re
import tempfile

from lastref_testing import lastref, plain, traces_in
from side_by_side import SHIM

LEVELS = ("disabled", "simple", "paranoid")
# Every combination, for runs by hand: continuous integration takes a share where there are many.
WHOLE = os.environ.get("LASTREF_SWEEP") == "whole"


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a program is started. Without a level the shim is left out: that is the plain run."""

    level: str = ""
    before: tuple = ()  # libraries preloaded before the shim
    behind: tuple = ()
    wrapper: tuple = ()  # a command that starts another; {preload} is put where it stands
    variables: tuple = ()  # pairs, for the program's environment
    shim: str = SHIM

    def without_shim(self):
        return dataclasses.replace(self, level="")

    def environment(self, traces):
        """What is added to the program's environment."""
        libraries = [*self.before, *([self.shim] if self.level else []), *self.behind]
        added = dict(self.variables)
        if libraries:
            added["LD_PRELOAD"] = ":".join(libraries)
        if self.level:
            added["LASTREF_LEVEL"] = self.level
            added["LASTREF_OUT"] = os.path.join(traces, "%e.%p.%n.trace")
        return added


PLAIN = Setting()


def shown(stderr):
    """What a program said on stderr, without the shim's own lines."""
    return "".join(line for line in stderr.splitlines(keepends=True)
                   if not line.startswith("lastref:"))


def differences(expected, actual, stderr=True):
    """What differs between two runs of one command, as text; empty where nothing does."""
    found = []
    if expected.status != actual.status:
        found.append(f"status {actual.status}, plain {expected.status}")
    if expected.stdout != actual.stdout:
        found.append(f"stdout {shortened(actual.stdout)!r}, plain {shortened(expected.stdout)!r}")
    if stderr and shown(expected.stderr) != shown(actual.stderr):
        found.append(f"stderr {shortened(shown(actual.stderr))!r}, "
                     f"plain {shortened(shown(expected.stderr))!r}")
    return "; ".join(found)


def shortened(text, most=600):
    return text if len(text) <= most else text[:most // 2] + " ... " + text[-most // 2:]


def incomplete(traces):
    """The traces that lost something or can't be read, each with what is wrong."""
    found = []
    for trace in traces:
        info = lastref("info", trace)
        if re.search(r"^exit +unknown$", info.stdout, re.M) and " 0 logs, 0 chunks" in info.stdout:
            continue  # killed before its first record: tracers try out on such children what works
        if info.status != 0 or not re.search(r"^complete +yes$", info.stdout, re.M):
            found.append(f"{os.path.basename(trace)}: {info.stdout[:1200]}{info.stderr}")
    return found


def in_parallel(function, items):
    """function(item) of each item, in their order, on all processors that this process may use."""
    workers = len(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def started(argv, setting, folder, environment=None, input=None, traces=None):
    """argv in `setting` with `folder` as working directory and home. The finished run."""
    if setting.level and traces is None:
        traces = tempfile.mkdtemp(dir=os.path.dirname(folder))
        os.chmod(traces, 0o777)  # some programs become another user
    variables = {"HOME": folder, "LC_ALL": "C", **(environment or {})}
    variables.update(setting.environment(traces or ""))
    run = plain([*setting.wrapper, *argv], env=variables, cwd=folder, input=input)
    run.traces = traces_in(traces) if traces else []
    return run
