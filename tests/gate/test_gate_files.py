"""The gate's files: baselines, budgets, suppressions, reports in every format."""

import contextlib
import json
import os
import sqlite3
import unittest

import jsonschema
from lxml import etree

from gating import CLEAN, HEAP_LEAK, GateTest
from lastref_testing import lastref, program

HERE = os.path.dirname(os.path.abspath(__file__))
SARIF_SCHEMA = os.path.join(HERE, "schemas", "sarif-2.1.0-rtm.5.json")
JUNIT_SCHEMA = os.path.join(HERE, "schemas", "jenkins-junit.xsd")
GOLDEN_JUNIT = os.path.join(HERE, "..", "unit", "report", "golden", "junit")


class Baselines(GateTest):
    def setUp(self):
        super().setUp()
        self.baseline = self.path("baseline.txt")
        self.assert_gate(0, "--baseline", self.baseline, "--update-baseline", "--", HEAP_LEAK)

    def change(self, old, new):
        text = self.read("baseline.txt")
        self.assertIn(old, text)
        self.path("baseline.txt", text.replace(old, new))

    def test_is_sorted_readable_text(self):
        lines = [line for line in self.read("baseline.txt").splitlines() if line[0] != "#"]
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines, sorted(lines))
        self.assertRegex("\n".join(lines), r"[0-9a-f]{16} 25 heap-leak heap .*Inventory::load")

    def test_known_findings_pass(self):
        self.assert_gate(0, "--baseline", self.baseline, "--", HEAP_LEAK, says="2 known")

    def test_grown_findings_fail(self):
        self.change(" 25 ", " 24 ")
        self.assert_gate(1, "--baseline", self.baseline, "--", HEAP_LEAK, says="grown from 24")

    def test_new_findings_fail(self):
        lines = self.read("baseline.txt").splitlines(True)
        self.path("baseline.txt", "".join(line for line in lines if " 25 " not in line))
        self.assert_gate(1, "--baseline", self.baseline, "--", HEAP_LEAK, says="1 known, 1 new")

    def test_gone_findings_are_named(self):
        run = self.assert_gate(0, "--baseline", self.baseline, "--", *CLEAN)
        self.assertEqual(run.stderr.count("gone from the baseline"), 2, run.stderr)

    def test_nothing_is_written_where_inconclusive(self):
        self.assert_gate(3, "--baseline", self.path("other.txt"), "--update-baseline", "--",
                         "env", "-i", *CLEAN)
        self.assertFalse(os.path.exists(self.path("other.txt")))

    def test_malformed_lines_are_named(self):
        for line, reason in (("hello 1 heap-leak", "no finding's id"),
                             ("0123456789abcdef many", "no count"),
                             ("0123456789abcdef", "no count"),
                             ("<<<<<<< HEAD", "merge conflict"),
                             ("0123456789abcdef 1 a\n0123456789abcdef 2 b", "twice")):
            with self.subTest(line):
                number = 1 + line.count("\n") + 1
                path = self.path("bad.txt", f"# comment\n{line}\n")
                run = self.assert_gate(2, "--baseline", path, "--", HEAP_LEAK, says=reason)
                self.assertIn(f"{path}:{number}:", run.stderr)
                self.assertEqual(run.stdout, "", "the command was not run")

    def test_missing_file_is_an_error(self):
        self.assert_gate(2, "--baseline", self.path("none.txt"), "--", HEAP_LEAK,
                         says="--update-baseline")


class Choices(GateTest):
    def test_budgets(self):
        self.assert_gate(0, "--budget", "heap=29", "--", HEAP_LEAK, says="within-budget")
        self.assert_gate(1, "--budget", "heap=28", "--", HEAP_LEAK, says="heap=28 exceeded: 29")
        self.assert_gate(0, "--budget", "heap=11K", "--", HEAP_LEAK)
        self.assert_gate(1, "--budget", "heap=10K", "--", HEAP_LEAK, says="heap=10K exceeded")

    def test_kinds_and_counts_and_confidence(self):
        self.assert_gate(0, "--kinds", "refcount-leak,growth", "--", HEAP_LEAK)
        self.assert_gate(0, "--min-count", "26", "--", HEAP_LEAK)
        self.assert_gate(1, "--min-count", "25", "--", HEAP_LEAK, says="1 left-out, 1 new")
        over_release = program("lifecycle/over_release")
        self.assert_gate(1, "--min-confidence", "0.5", "--", over_release)
        self.assert_gate(0, "--min-confidence", "0.99", "--", over_release)

    def test_suppressions(self):
        for line in ("leak:Inventory::load", "leak:^Inventory*load", "function:Inventory",
                     "file:heap_leak.cpp", "module:heap_leak$", "type:heap"):
            with self.subTest(line):
                known = self.path("known.supp", f"# why\n{line}\nleak:Labels\n")
                run = self.assert_gate(0, "--suppressions", known, "--", HEAP_LEAK)
                self.assertIn(f"suppression used: {line} ({known}:2)", run.stderr)

    def test_suppression_of_a_kind_leaves_the_others(self):
        known = self.path("known.supp", "kind:heap-leak\n")
        self.assert_gate(0, "--suppressions", known, "--", HEAP_LEAK)
        self.assert_gate(1, "--suppressions", known, "--",
                         program("lifecycle/release_always_missing"))

    def test_stale_suppressions_fail_when_strict(self):
        stale = self.path("stale.supp", "leak:no_such_function\n")
        self.assert_gate(0, "--suppressions", stale, "--", *CLEAN, says="never matched")
        self.assert_gate(1, "--strict", "--suppressions", stale, "--", *CLEAN, says="stale")

    def test_malformed_suppressions_are_named(self):
        for line, reason in (("race:x", "no suppression"), ("hello", "no suppression"),
                             ("leak:", "no pattern")):
            with self.subTest(line):
                path = self.path("bad.supp", f"\n{line}\n")
                run = self.assert_gate(2, "--suppressions", path, "--", HEAP_LEAK, says=reason)
                self.assertIn(f"{path}:2:", run.stderr)

    def test_suppressions_of_the_program_itself(self):
        for shape in ("O0", "O2", "fixed"):
            run = self.gate("--", program(f"gate/default_suppressions_{shape}"))
            with self.subTest(shape):
                self.assertEqual(run.status, 0, repr(run))
                self.assertIn("suppression used: leak:leaks_by_design", run.stderr)
                self.assertIn("suppression never matched: leak:never_called", run.stderr)

    def test_report_takes_suppressions_too(self):
        traces = self.path("traces")
        self.assert_gate(1, "--traces", traces, "--", HEAP_LEAK)
        known = self.path("known.supp", "leak:Inventory\n")
        trace = os.path.join(traces, os.listdir(traces)[0])
        run = lastref("report", trace, "--format", "json", "--suppressions", known)
        found = json.loads(run.stdout)["findings"]
        self.assertEqual([finding["count"] for finding in found], [4], repr(run))


class Outputs(GateTest):
    FORMATS = ("text", "json", "junit", "sarif", "github", "gitlab")

    def files(self, *command, status=1, options=()):
        outputs = [part for name in self.FORMATS for part in ("--" + name, self.path(name))]
        self.assert_gate(status, *options, *outputs, "--", *command)

    def assert_sarif(self):
        sarif = json.loads(self.read("sarif"))
        with open(SARIF_SCHEMA, encoding="utf-8") as file:
            jsonschema.Draft4Validator(json.load(file)).validate(sarif)
        return sarif["runs"][0]

    def assert_junit(self, path=None):
        """Returns its only suite, whose counts are those of its cases."""
        tree = etree.parse(path or self.path("junit"))
        etree.XMLSchema(file=JUNIT_SCHEMA).assertValid(tree)
        suite, = tree.getroot().findall("testsuite")
        for part in (tree.getroot(), suite):
            for name, element in (("tests", "testcase"), ("failures", "testcase/failure"),
                                  ("errors", "testcase/error")):
                self.assertEqual(part.get(name), str(len(suite.findall(element))), name)
        self.assertEqual(suite.get("skipped"), str(len(suite.findall("testcase/skipped"))))
        return suite

    def test_golden_junit_is_valid(self):
        self.assertEqual(self.assert_junit(GOLDEN_JUNIT).get("failures"), "2")

    def test_every_format_of_leaks(self):
        self.files(program("lifecycle/release_always_missing"))
        self.assertTrue(self.read("text").startswith("leak-gate: FAIL"))
        report = json.loads(self.read("json"))
        self.assertEqual(report["gate"]["verdict"], "fail")
        self.assertEqual(report["findings"][0]["standing"], "new")

        result = self.assert_sarif()["results"][0]
        self.assertEqual(result["ruleId"], "refcount-leak")
        self.assertEqual(result["level"], "error")
        self.assertEqual(result["partialFingerprints"]["lastrefId/v1"],
                         report["findings"][0]["id"])
        steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
        self.assertTrue(steps[0]["location"]["message"]["text"].startswith("create"))

        self.assertRegex(self.read("github"), r"^::error file=.*release_always_missing.cpp,line=\d+,")
        issue = json.loads(self.read("gitlab"))[0]
        self.assertEqual(issue["fingerprint"], report["findings"][0]["id"])
        self.assertGreater(issue["location"]["lines"]["begin"], 0)
        self.assertIn(issue["severity"], ("info", "minor", "major", "critical", "blocker"))

        suite = self.assert_junit()
        self.assertEqual(suite.get("failures"), "1")
        self.assertEqual(len(suite.findall("testcase/failure")), 1)

    def test_every_format_of_a_pass(self):
        self.files(*CLEAN, status=0)
        self.assertEqual(self.assert_sarif()["results"], [])
        self.assertEqual((self.read("github"), json.loads(self.read("gitlab"))), ("", []))
        suite = self.assert_junit()
        self.assertEqual((suite.get("failures"), suite.get("errors")), ("0", "0"))

    def test_every_format_of_an_inconclusive_run(self):
        self.files("env", "-i", *CLEAN, status=3)
        self.assertFalse(self.assert_sarif()["invocations"][0]["executionSuccessful"])
        self.assertTrue(self.read("github").startswith("::error title=lastref%3A inconclusive::"))
        suite = self.assert_junit()
        self.assertEqual(suite.get("errors"), "1")

    def test_known_findings_are_no_errors(self):
        baseline = ["--baseline", self.path("baseline.txt")]
        self.assert_gate(0, *baseline, "--update-baseline", "--", HEAP_LEAK)
        self.files(HEAP_LEAK, status=0, options=baseline)
        results = self.assert_sarif()["results"]
        self.assertEqual({r["baselineState"] for r in results}, {"unchanged"})
        self.assertNotIn("::error", self.read("github"))

    def test_unwritable_output_is_named_and_the_others_written(self):
        missing = self.path("no/such/folder/report.xml")
        run = self.assert_gate(2, "--junit", missing, "--json", self.path("json"), "--", HEAP_LEAK)
        self.assertIn(missing, run.stderr)
        self.assertIn("gate", json.loads(self.read("json")))

    def test_outputs_that_follow_the_traces(self):
        """The database holds what the gate judged; a file of one process is refused for two."""
        database, trace = self.path("traces.db"), self.path("trace.pftrace")
        heaptrack, profile = self.path("a.heaptrack"), self.path("profile.pb.gz")
        self.assert_gate(1, "--sqlite", database, "--perfetto", trace, "--heaptrack", heaptrack,
                         "--pprof", profile, "--json", self.path("json"), "--", HEAP_LEAK)
        report = json.loads(self.read("json"))
        with contextlib.closing(sqlite3.connect(database)) as connection:
            self.assertEqual(
                connection.execute("SELECT id, count FROM findings ORDER BY rank").fetchall(),
                [(one["id"], one["count"]) for one in report["findings"]])
            self.assertEqual(
                connection.execute("SELECT count(*) FROM live WHERE type = 'heap'").fetchone()[0],
                report["summary"]["heap"]["live"])
        for path in trace, profile:
            self.assertGreater(os.stat(path).st_size, 100)
        self.assertTrue(self.read("a.heaptrack").startswith("v "))

        run = self.assert_gate(2, "--heaptrack", self.path("two"), "--sqlite", "/nowhere/a.db",
                               "--perfetto", trace, "--", "sh", "-c", f"{HEAP_LEAK}; {HEAP_LEAK}",
                               says="--sqlite /nowhere/a.db: can't be written")
        self.assertIn(f"--heaptrack {self.path('two')}: a heaptrack file holds one process", run.stderr)
        self.assertFalse(os.path.exists(self.path("two")))

    def test_annotations_go_to_standard_output(self):
        run = self.assert_gate(1, "--github", "--", HEAP_LEAK)
        self.assertEqual(run.stdout.count("::error file="), 2, run.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
