"""lastref's own gate over lastref's own commands: each verb on real traces, all processes traced."""

import os
import unittest

from gating import HEAP_LEAK, GateTest
from lastref_testing import program

SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "own.supp")

# A number before the verb is the status that is expected, 0 where there is none.
VERBS = """
info $FIRST
report $FIRST $SECOND
2 report $FIRST --buffer 0x1
report $FIRST $SECOND --format json
report $FIRST $SECOND --format junit
report $FIRST $SECOND --format sarif
report $FIRST $SECOND --format html
events $FIRST --stacks
diff $FIRST $SECOND
export $FIRST --format folded
export $FIRST --format pprof
export $FIRST --format heaptrack
pack $FIRST -o packed
report packed
unpack packed -o unpacked
symbolize unpacked
hooks list
hooks check ffmpeg $LASTREF
3 report $0
2 gate --no-such-option
""".strip().splitlines()


class OwnCommands(GateTest):
    def test_no_verb_leaks(self):
        traces = [self.run_program(command).traces[0]
                  for command in (program("lifecycle/release_always_missing"), HEAP_LEAK)]
        self.environment.update(FIRST=traces[0], SECOND=traces[1])
        script = "".join(
            f'"$LASTREF" {verb.lstrip("0123456789 ")} >>out; test $? = {verb[0] if verb[0].isdigit() else 0} '
            f'|| echo "{verb}" >>failed\n' for verb in VERBS)
        run = self.assert_gate(0, "--suppressions", SUPPRESSIONS, "--", "sh", "-c", script)
        if os.path.exists(self.path("failed")):
            self.fail(f"{self.read('failed')}{run}")
        # The shell, each verb, and the shell in which `hooks check` asks the loader.
        self.assertIn(f"PASS: {2 + len(VERBS)} traces", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
