"""A dozen real runs in unusual surroundings: beside other preloaded libraries, below tracers, as another
user, in namespaces, in sandboxes. Each is the same with the shim as without it there.

In each surrounding a run is made at paranoid, and by turns at disabled or simple; at all of them
with LASTREF_SWEEP=whole.
"""

import dataclasses
import os
import shutil
import tempfile
import unittest

from all_runs import BY_NAME
from comparing import LEVELS, WHOLE, Setting, differences, in_parallel, incomplete, started
from runs import missing, run_in
from side_by_side import SHIM, SideBySide, process

ROWS = ("sort", "xz", "mawk", "bash-jobs", "python-threads", "python-subprocess", "perl-threads",
        "node-workers", "lua", "sqlite", "gcc", "make", "find-xargs")
LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
# gdb's own words are not the program's.
GDB = ("/bin/bash", "-c", r"""gdb -nx -q -batch -ex run -ex 'quit $_exitcode' --args \
    /bin/bash -c 'exec "$@" >.out 2>.err' program "$@" >.gdb 2>&1
status=$?; cat .out; cat .err >&2; exit $status""", "gdb")
FAKED = (("FAKETIME", "2020-01-01 00:00:00"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"))


@dataclasses.dataclass(frozen=True)
class Surrounding:
    name: str
    setting: Setting
    # Every process is traced and its trace complete there.
    complete: bool = True
    # Runs that can't be made there, whatever is preloaded.
    without: tuple = ()


def preloaded(name, file, **more):
    """`file` preloaded on either side of the shim."""
    library = (os.path.join(LIBRARIES, file),)
    return [Surrounding(f"{name} before", Setting(before=library, **more), complete=False),
            Surrounding(f"{name} behind", Setting(behind=library, **more), complete=False)]


def below(name, *wrapper, **more):
    return Surrounding(name, Setting(wrapper=wrapper), **more)


SURROUNDINGS = [
    *preloaded("jemalloc", "libjemalloc.so.2"),
    *preloaded("tcmalloc", "libtcmalloc_minimal.so.4"),
    *preloaded("mimalloc", "libmimalloc.so.2"),
    *preloaded("libfaketime", "faketime/libfaketime.so.1", variables=FAKED),
    below("strace", "strace", "-f", "-o", "/dev/null", complete=False),
    # gdb has no status of a program that a signal ends.
    below("gdb", *GDB, complete=False, without=("python-subprocess",)),
    below("another user", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    below("user namespace", "unshare", "-Urm"),
    below("network namespace", "unshare", "-n"),
    below("process namespace", "unshare", "-p", "--fork",
          without=("python-subprocess",)),  # the first process there ignores its own signals
    below("bwrap", "bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all",
          "--die-with-parent"),
    below("seccomp", process("below_filter"), complete=False),
]


class Surroundings(SideBySide):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        # Where other users can read it.
        self.shim = shutil.copy(SHIM, self.directory)

    def test_all(self):
        here = [place for place in SURROUNDINGS if self.possible(place)]
        rows = [BY_NAME[name] for name in ROWS if not missing(BY_NAME[name])]
        pairs = [(place, row, index) for place in here for index, row in enumerate(rows)
                 if row.name not in place.without]
        faults = [fault for found in in_parallel(self.faults, pairs) for fault in found]
        absent = [place.name for place in SURROUNDINGS if place not in here]
        print(f"{len(rows)} runs in {len(here)} surroundings; not possible here: "
              f"{', '.join(absent) or 'none'}")
        self.assertEqual(faults, [], "\n".join(faults))
        self.assertGreaterEqual(len(here), 8)
        if os.environ.get("CI") == "true":
            self.assertEqual([p.name for p in SURROUNDINGS if not self.installed(p)], [])

    def possible(self, place):
        """Whether a command can be run there at all: containers forbid some namespaces."""
        folder = tempfile.mkdtemp(dir=self.directory)
        os.chmod(folder, 0o777)
        return self.installed(place) and started(["/bin/true"], place.setting, folder).status == 0

    def installed(self, place):
        setting = place.setting
        return all(map(os.path.exists, (*setting.before, *setting.behind))) and shutil.which(
            (setting.wrapper or ("true",))[0])

    def levels(self, index):
        return LEVELS if WHOLE else ("paranoid", ("disabled", "simple")[index % 2])

    def faults(self, pair):
        place, row, index = pair
        folder = tempfile.mkdtemp(dir=self.directory)
        os.chmod(folder, 0o755)
        work = os.path.join(folder, "work")
        found, expected = [], None
        for level in ("", *self.levels(index)):
            setting = dataclasses.replace(place.setting, level=level, shim=self.shim)
            fault = ""
            try:
                run = run_in(row, setting, work)
                fault = row.expects(run)
                if not fault and expected:
                    fault = differences(expected, run, row.stderr)
                if not fault and level not in ("", "disabled") and row.complete and place.complete:
                    fault = "; ".join(incomplete(run.traces)) or (
                        "" if run.traces else "no trace was written")
            except AssertionError as raised:
                fault = str(raised)
            if fault:
                found.append(f"{row.name}, {place.name}: {level or 'without the shim'}: {fault}")
            if not level:
                expected = run
                if fault:
                    break
            shutil.rmtree(work)
        shutil.rmtree(folder, ignore_errors=True)
        return found


if __name__ == "__main__":
    unittest.main()
