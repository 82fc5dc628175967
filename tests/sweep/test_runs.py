"""Real programs at work: each prints what it must, plain and with the shim at each level.

The tables are in runs_*.py. A run whose programs are not installed is a skipped test here and a
failure in CI, where it isn't marked as extra.
"""

import os
import shutil
import tempfile
import unittest

from all_runs import RUNS
from comparing import LEVELS, PLAIN, Setting, differences, in_parallel, incomplete
from runs import missing, run_in
from side_by_side import Balance, SideBySide


class Runs(SideBySide):
    def test_all(self):
        os.chmod(self.directory, 0o755)  # some runs become another user
        here = [row for row in RUNS if not missing(row)]
        absent = [row.name for row in RUNS if missing(row) and not row.extra]
        faults = [fault for found in in_parallel(self.faults, here) for fault in found]
        print(f"{len(here)} real runs, not installed: {', '.join(absent) or 'none'}")
        self.assertEqual(faults, [], "\n".join(faults))
        self.assertGreaterEqual(len(RUNS), 60)
        if absent and os.environ.get("CI") == "true":
            self.fail(f"not installed: {absent}; see scripts/lib/packages.sh")

    def faults(self, row):
        """What differs from what the row expects and from a plain run, as text."""
        folder = tempfile.mkdtemp(dir=self.directory)
        os.chmod(folder, 0o755)
        work = os.path.join(folder, "work")
        found, expected = [], None
        for setting in (PLAIN, *map(Setting, LEVELS)):
            try:
                run = run_in(row, setting, work)
                fault = row.expects(run)
                if not fault and expected:
                    fault = differences(expected, run, row.stderr)
                if not fault and setting.level in ("simple", "paranoid") and row.complete:
                    fault = "; ".join(incomplete(run.traces))
                if not fault and setting.level == "paranoid" and row.order:
                    for trace in run.traces:
                        Balance(trace)
            except AssertionError as raised:  # does not end
                fault = str(raised)
            if fault:
                found.append(f"{row.name}: {setting.level or 'plain'}: {fault}")
            if not setting.level:
                if fault:
                    break
                expected = run
            shutil.rmtree(work)
        shutil.rmtree(folder, ignore_errors=True)
        return found


if __name__ == "__main__":
    unittest.main()
