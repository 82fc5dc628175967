"""The programs of this folder under the shim: each hook of the public header arrives in the trace.

The programs' paths are the arguments: C11 and C++, position-independent and at a fixed address,
where a compiler or linker could settle the test of a weak symbol too early.
"""

import sys
import unittest

from lastref_testing import LastrefTest, events, report

PROGRAMS = sys.argv[1:]
HOOKS = ["mark", "create", "retain", "touch", "count", "move", "release", "destroy"]


class Header(LastrefTest):
    def test_every_hook_arrives(self):
        self.assertTrue(PROGRAMS, "no programs given")
        for path in PROGRAMS:
            with self.subTest(program=path):
                run = self.run_program(path)
                self.assert_exits(run, 1)  # lastref_active() said 1
                seen = [e for e in events(run.traces[0]) if e["op"] in HOOKS]
                self.assertEqual([e["op"] for e in seen][:len(HOOKS)], HOOKS)
                self.assertEqual(seen[1]["type"], "HeaderBuffer")
                self.assertEqual(seen[1]["size"], 32)
                self.assertEqual(seen[3]["hint"], "seen")
                self.assertEqual(seen[4]["count"], 2)
                found = report(run.traces)
                self.assertEqual(found["summary"]["buffers"],
                                 {"created": 1, "ended": 1, "leaked": 0})

    def test_disabled_level_is_as_without(self):
        for path in PROGRAMS:
            with self.subTest(program=path):
                run = self.run_program(path, level="disabled")
                self.assert_exits(run, 0)
                self.assertEqual(run.traces, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
