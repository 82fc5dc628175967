"""What the traces of real runs say is true: their events are those that a counter behind the shim,
which knows nothing of it, counted in each process."""

import collections
import os
import struct
import tempfile
import unittest

from all_runs import BY_NAME
from comparing import Setting, in_parallel
from lastref_testing import events
from runs import missing, run_in
from side_by_side import SideBySide, pid_in_name, process

ROWS = ("sort", "jq", "mawk", "bash-jobs", "python-threads", "perl", "perl-threads", "lua", "tcl",
        "sqlite", "gcc", "make", "xmllint", "guile")
COUNTERS = ("malloc", "calloc", "realloc", "aligned", "free")


def counted(file):
    with open(file, "rb") as counters:
        return dict(zip(COUNTERS, struct.unpack("<5Q", counters.read(40))))


def recorded(trace):
    """The same counters, from the events of a trace."""
    ops = collections.Counter(event["op"] for event in events(trace))
    return {"malloc": ops["malloc"], "calloc": ops["calloc"], "realloc": ops["realloc"],
            "aligned": ops["memalign"], "free": ops["free"]}


class Counts(SideBySide):
    def test_events_are_those_counted(self):
        rows = [BY_NAME[name] for name in ROWS if not missing(BY_NAME[name])]
        self.assertGreaterEqual(len(rows), 10)
        results = in_parallel(self.compare, rows)
        faults = [fault for found, _, _ in results for fault in found]
        print(f"{sum(processes for _, processes, _ in results)} processes, "
              f"{sum(total for _, _, total in results)} calls")
        self.assertEqual(faults, [], "\n".join(faults))

    def compare(self, row):
        """(what differs, processes compared, calls compared)"""
        folder = tempfile.mkdtemp(dir=self.directory)
        counts = tempfile.mkdtemp(dir=folder)
        setting = Setting("paranoid", behind=(process("libcount_calls.so"),),
                          variables=(("COUNT_CALLS", counts),))
        run = run_in(row, setting, os.path.join(folder, "work"))
        faults = [row.expects(run)] if row.expects(run) else []
        by_process = collections.defaultdict(list)
        for trace in run.traces:
            by_process[pid_in_name(trace)].append(trace)
        processes = total = 0
        for pid, traces in by_process.items():
            # A process that executes another program begins its counters anew.
            found = recorded(traces[-1])
            file = os.path.join(counts, str(pid))
            if not os.path.exists(file):
                continue
            expected = counted(file)
            processes += 1
            total += sum(expected.values())
            if found != expected:
                faults.append(f"{row.name}: {os.path.basename(traces[-1])}: {found}, not {expected}")
        if not processes:
            faults.append(f"{row.name}: no process was counted")
        return faults, processes, total


if __name__ == "__main__":
    unittest.main()
