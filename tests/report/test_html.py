"""The HTML report in a real headless browser; what it does there is in report/html/page.test.mjs."""

import json
import os
import re
import shutil
import subprocess
import unittest

from lastref_testing import LastrefTest, lastref, program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRONT_END = os.path.join(os.environ.get("LASTREF_BUILD", os.path.join(ROOT, "build")),
                         "analyzer/report/html/front_end")
HOSTILE = "</script><b class=injected><script>window.injected=1</script><!--\"'&\u2028"


class HtmlReport(LastrefTest):
    def html(self, *traces):
        path = os.path.join(self.directory, "report.html")
        result = lastref("report", *traces, "--format", "html", "-o", path)
        self.assertEqual((result.status, result.stderr), (0, ""))
        return path

    def data(self, path):
        with open(path, encoding="utf-8") as file:
            page = file.read()
        self.assertNotRegex(page, r"""(src|href)=["']?https?:""")  # all that it needs is in it
        found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
        return json.loads(found[0])

    def frame(self, data, at):
        """As the JSON report has it."""
        names = ("function", "file", "line", "module", "build_id", "offset", "inlined")
        frame = dict(zip(names, data["frames"][at]))
        for name in "function", "file", "module", "build_id":
            frame[name] = data["names"][frame[name]]
        return {**frame, "inlined": frame["inlined"] == 1}

    def test_in_a_browser(self):
        """Also with a program whose name is markup."""
        hostile = os.path.join(self.directory, HOSTILE.replace("/", "\u2215"))
        shutil.copy(program("lifecycle/over_release"), hostile)
        traces = [self.run_program(argv).traces[0] for argv in (
            program("lifecycle/pool_not_returned"), program("lifecycle/heap_leak"),
            [hostile, HOSTILE])]
        path = self.html(*traces)
        self.assertIn(HOSTILE, self.data(path)["report"]["processes"][2]["command"])
        browser = subprocess.run(
            ["node", os.path.join(ROOT, "analyzer/report/html/page.test.mjs"), path,
             *filter(None, [os.environ.get("LASTREF_PICTURES")])],
            env={**os.environ, "LASTREF_FRONT_END": FRONT_END}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.assertEqual(browser.returncode, 0, browser.stdout)

    def test_what_the_page_holds(self):
        trace = self.run_program(program("lifecycle/pool_not_returned")).traces[0]
        data = self.data(self.html(trace))
        report = data["report"]
        plain_report = json.loads(lastref("report", trace, "--format", "json").stdout)
        self.assertEqual([f["id"] for f in report["findings"]], [f["id"] for f in plain_report["findings"]])
        finding, plain = report["findings"][0], plain_report["findings"][0]
        self.assertEqual([self.frame(data, at) for at in finding["created"]], plain["created"])
        place = plain["culprit"]["frame"]
        lines = data["sources"][f"{place['file']}:{place['line']}"]
        with open(place["file"], encoding="utf-8") as source:
            self.assertEqual(lines["lines"][place["line"] - lines["first"]],
                             source.read().splitlines()[place["line"] - 1])
        usage = data["usage"]
        heap = usage["types"].index("heap")
        tree = next(one["tree"] for one in usage["trees"] if one["type"] == heap)
        self.assertEqual(tree[1][0], plain_report["summary"]["heap"]["live_bytes"])
        self.assertEqual(tree[1][1], plain_report["summary"]["heap"]["peak_bytes"])
        series = next(one for one in usage["series"] if one["type"] == heap)
        self.assertEqual(max(series["bytes"]), plain_report["summary"]["heap"]["peak_bytes"])
        self.assertEqual(series["bytes"][-1], plain_report["summary"]["heap"]["live_bytes"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
