"""Shared by the tests of this folder: they compare a program's report with
the truth in its first comment."""

import collections
import os

from lastref_testing import LastrefTest, plain, program, report

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs")


def line_of(source, text):
    """The only line of a file below tests/programs that holds `text`."""
    with open(os.path.join(SOURCES, source), encoding="utf-8") as file:
        numbers = [number for number, line in enumerate(file, 1) if text in line]
    if len(numbers) != 1:
        raise AssertionError(f"{source}: {len(numbers)} lines with {text!r}")
    return numbers[0]


def totals(findings):
    """{(kind, type): count}: how histories are grouped is not this folder's question."""
    counts = collections.Counter()
    for finding in findings:
        counts[finding["kind"], finding["type"]] += finding["count"]
    return dict(counts)


class LifecycleTest(LastrefTest):
    def traced(self, name, *arguments, status=0, **options):
        """Runs a program of tests/programs/lifecycle plain and traced: both must do the same."""
        argv = [program(os.path.join("lifecycle", name)), *arguments]
        untraced = plain(argv)
        result = self.run_program(argv, **options)
        self.assertEqual((untraced.status, untraced.stdout), (status, result.stdout), repr(result))
        self.assert_exits(result, status)
        return result

    def report_of(self, name, *arguments, **options):
        """The report of a program that is one process."""
        result = self.traced(name, *arguments, **options)
        self.assertEqual(len(result.traces), 1, repr(result))
        found = report(result.traces)
        self.assert_complete(found)
        return found

    def assert_findings(self, found, expected):
        """Exactly these findings, as {(kind, type): count}, and no other of any kind."""
        self.assertEqual(totals(found["findings"]), expected)

    def assert_frame(self, frames, function, source=None, line=None):
        """A frame of that function, at that line where one is given."""
        matching = [f for f in frames if function in (f.get("function") or "")]
        self.assertTrue(matching, f"no frame of {function} in {frames}")
        if source:
            self.assertEqual(os.path.basename(matching[0]["file"]), source, matching[0])
        if line:
            self.assertIn(line, [f["line"] for f in matching])

    def assert_no_culprit(self, finding):
        self.assertIsNone(finding["culprit"], finding)

    def operations(self, finding):
        """The example's operations, oldest first."""
        example = sorted(finding["example"]["events"], key=lambda e: e["time_ns"])
        return [e["op"] for e in example]
