"""`lastref diff`: what is new, gone, grown and shrunk between two traces, on rebuilt programs too."""

import json
import os
import shutil
import subprocess
import unittest

from lastref_testing import LastrefTest, lastref, program, strip_to

SOURCE = """
#include <stdlib.h>
static void* volatile kept;
%s
__attribute__((noinline)) static void steady(void) { kept = malloc(10); }
__attribute__((noinline)) static void varying(void) { kept = malloc(20); }
__attribute__((noinline)) static void only_once(void) { kept = malloc(30); }
__attribute__((noinline)) static void at_last(void) { kept = malloc(40); }
int main(void) {
    steady();
    for (int i = 0; i < %d; i++) varying();
    %s();
    kept = NULL;
    return 0;
}
"""


class Diff(LastrefTest):
    def trace(self, name, padding, varying, last):
        source = os.path.join(self.directory, name + ".c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE % (padding, varying, last))
        program = os.path.join(self.directory, name)
        subprocess.run(["cc", "-g", "-O1", "-fno-optimize-sibling-calls", "-w", "-o", program, source],
                       check=True)
        return self.run_program(program).traces[0]

    def setUp(self):
        super().setUp()
        self.before = self.trace("before", "", 3, "only_once")
        # Other lines and addresses: the same faults all the same.
        self.after = self.trace("after", "\n\nint unused(void) { return 3; }\n\n", 5, "at_last")

    def changes(self, *traces):
        run = lastref("diff", *traces, "--format", "json")
        self.assertEqual(run.status, 0, repr(run))
        result = json.loads(run.stdout)
        self.assertEqual(result["schema"], "lastref.diff/1")
        return result

    def test_findings_by_id(self):
        result = self.changes(self.before, self.after)
        found = {f["place"].split("(")[1].rstrip(")"): f for f in result["findings"]}
        self.assertEqual({name: f["change"] for name, f in found.items()},
                         {"steady": "same", "varying": "grown", "only_once": "gone",
                          "at_last": "new"})
        self.assertEqual(found["varying"]["count"], {"before": 3, "after": 5})
        gauge = result["gauges"]["heap_live_at_the_end"]
        self.assertEqual(gauge["after"] - gauge["before"], 2 * 20 + 40 - 30)

    def test_the_other_way_round(self):
        changes = [f["change"] for f in self.changes(self.after, self.before)["findings"]]
        self.assertEqual(sorted(changes), ["gone", "new", "same", "shrunk"])

    def test_text(self):
        run = lastref("diff", self.before, self.after)
        self.assertIn("findings: 1 new, 1 grown, 0 shrunk, 1 gone, 1 the same\n", run.stdout)
        self.assertRegex(run.stdout, r"grown +heap leak: 5 heap blocks, 100 bytes \(before: 3,")

    def test_names_may_be_elsewhere(self):
        stripped, debug = (os.path.join(self.directory, name) for name in ("stripped", "debug"))
        strip_to(program("lifecycle/heap_leak"), stripped, debug)
        trace = self.run_program(stripped).traces[0]
        root = os.path.join(self.directory, "root")
        os.makedirs(root + os.path.dirname(stripped))
        shutil.copy(program("lifecycle/heap_leak"), root + stripped)
        def places(*options):
            return " ".join(f["place"] for f in self.changes(trace, trace, *options)["findings"])
        self.assertNotIn("Inventory::load", places())
        for option in (("--debug-dir", debug), ("--sysroot", root)):
            self.assertIn("Inventory::load", places(*option))

    def test_unreadable_trace(self):
        run = lastref("diff", self.before, os.path.join(self.directory, "after.c"))
        self.assertEqual(run.status, 3, repr(run))
        self.assertTrue(run.stderr.startswith("lastref: "), run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
