"""Row 35 of doc/lifecycle-bugs.md: each process has its own trace, and each address the symbols of
its time."""

import os
import unittest

from lastref_testing import findings, program, report
from expected import LifecycleTest, line_of


class Processes(LifecycleTest):
    def test_fork_and_exec(self):
        run = self.traced("forked_child", program("lifecycle/exec_target"))
        reports = {}
        for trace in run.traces:
            found = report(trace)
            self.assert_complete(found)
            process = found["processes"][0]
            end = "exec" if process.get("replaced_by_exec") else process["exit"]
            self.assertTrue(end != "exec" or process["exit"] == "unknown", process)
            name = os.path.basename(process["exe"]), end
            self.assertNotIn(name, reports, run.traces)
            reports[name] = found
        self.assertEqual(set(reports), {
            ("forked_child", "status 0"), ("forked_child", "status 7"),
            ("forked_child", "exec"), ("exec_target", "status 9")})

        self.assert_findings(reports["forked_child", "status 0"], {})
        self.assertEqual(reports["forked_child", "status 0"]["summary"]["buffers"],
                         {"created": 10, "ended": 10, "leaked": 0})

        child = reports["forked_child", "status 7"]
        self.assert_findings(child, {("refcount-leak", "ChildBuffer"): 3, ("heap-leak", "heap"): 2})
        self.assertEqual(child["summary"]["buffers"], {"created": 20, "ended": 17, "leaked": 3})
        for leak in findings(child, "refcount-leak"):
            self.assert_frame(leak["created"], "make_child_buffer", "forked_child.cpp")
        for leak in findings(child, "heap-leak"):
            self.assert_frame(leak["created"], "make_block", "forked_child.cpp")
            self.assertEqual(leak["bytes"], 300 * leak["count"])

        self.assert_findings(reports["forked_child", "exec"], {})

        target = reports["exec_target", "status 9"]
        self.assert_findings(target, {("refcount-leak", "AfterExec"): 2})
        for leak in findings(target, "refcount-leak"):
            self.assert_frame(leak["created"], "after_exec", "exec_target.cpp")

    def test_module_at_the_address_of_another(self):
        modules = [program(f"lifecycle/{name}.so") for name in ("first_module", "second_module")]
        run = self.traced("reloaded_module", *modules)
        rounds = int(run.stdout.split()[1])
        self.assertEqual(len(run.traces), 1)
        found = report(run.traces)
        self.assert_complete(found)
        self.assert_findings(found, {("refcount-leak", "FirstBuffer"): rounds,
                                     ("refcount-leak", "SecondBuffer"): 1})
        for leak in found["findings"]:
            order = "first" if leak["type"] == "FirstBuffer" else "second"
            source = f"{order}_module.c"
            self.assert_frame(leak["created"], f"{order}_module_leak", source,
                              line_of(f"lifecycle/{source}", "lastref_create(buffer"))
            self.assertEqual(os.path.basename(leak["created"][0]["module"]), f"{order}_module.so")


if __name__ == "__main__":
    unittest.main(verbosity=2)
