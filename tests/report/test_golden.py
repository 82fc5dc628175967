"""Each report format of one trace, as text, against its golden file in tests/report/golden.

LASTREF_UPDATE_GOLDEN=1 in the environment writes them anew; look at the difference then.
"""

import gzip
import json
import os
import sqlite3
import subprocess
import unittest

from lastref_testing import LastrefTest, lastref

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden")
PLAIN = ("text", "json", "junit", "sarif", "github", "gitlab", "folded", "heaptrack")


def protobuf(schema, message, data):
    return subprocess.run(["protoc", "--proto_path=" + HERE, "--decode=" + message, schema],
                          input=data, stdout=subprocess.PIPE, check=True).stdout.decode()


class Golden(LastrefTest):
    def setUp(self):
        super().setUp()
        subprocess.run([os.environ["LASTREF_GOLDEN_TRACE"],
                        os.path.join(self.directory, "shop.trace")], check=True)

    def written(self, form):
        """The bytes of the format; paths in them are relative."""
        result = lastref("report", "shop.trace", "--format", form, "-o", "out", cwd=self.directory)
        self.assertEqual((result.status, result.stderr), (0, ""))
        with open(os.path.join(self.directory, "out"), "rb") as file:
            return file.read()

    def missing(self, form):
        result = lastref("report", "shop.trace", "--format", form, "-o", "out", cwd=self.directory)
        return "was built without" in result.stderr

    def check(self, form, text):
        path = os.path.join(GOLDEN, form)
        if os.environ.get("LASTREF_UPDATE_GOLDEN"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(text, file.read())

    def test_text_formats(self):
        for form in PLAIN:
            with self.subTest(form):
                self.check(form, self.written(form).decode())

    def test_pprof(self):
        self.check("pprof", protobuf("profile.proto", "perftools.profiles.Profile",
                                     gzip.decompress(self.written("pprof"))))

    def test_perfetto(self):
        self.check("perfetto", protobuf("perfetto.proto", "perfetto.protos.Trace",
                                        self.written("perfetto")))

    def test_sqlite(self):
        if self.missing("sqlite"):
            self.skipTest("built without it")
        self.written("sqlite")
        connection = sqlite3.connect(os.path.join(self.directory, "out"))
        self.addCleanup(connection.close)
        lines = []
        for kind, name, definition in connection.execute(
                "SELECT type, name, sql FROM sqlite_master ORDER BY rowid").fetchall():
            lines.append(definition)
            if kind == "table":
                rows = connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
                lines += [json.dumps(row) for row in rows]
        self.check("sqlite", "\n".join(lines) + "\n")

    def test_html(self):
        """The page's data; the page around it is a bundle."""
        if self.missing("html"):
            self.skipTest("built without it")
        page = self.written("html").decode()
        data = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
        self.check("html", json.dumps(json.loads(data), indent=1) + "\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
