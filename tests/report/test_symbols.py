"""A trace read where the programs are not gives the report of the machine that made it."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import unittest

from lastref_testing import LASTREF, LastrefTest, lastref, plain, program, report


class Symbols(LastrefTest):
    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")  # where the program was when it ran
        os.mkdir(self.home)
        self.binary = os.path.join(self.home, "over_release")
        shutil.copy(program("lifecycle/over_release"), self.binary)
        self.trace = self.run_program(self.binary).traces[0]
        self.named = self.report()
        self.assertIn("over_release.cpp", json.dumps(self.named))

    def report(self, *options, env=None):
        result = lastref("report", self.trace, "--format", "json", *options,
                         env={"DEBUGINFOD_URLS": "", **(env or {})})
        self.assertEqual(result.status, 0, result)
        return json.loads(result.stdout)

    def build_id(self):
        return next(f["build_id"] for f in self.named["findings"][0]["created"]
                    if f["module"] == self.binary)

    def take_away(self):
        """The program is gone, and another one of its name is there."""
        kept = os.path.join(self.directory, "kept")
        os.rename(self.binary, kept)
        shutil.copy(program("lifecycle/heap_leak"), self.binary)
        return kept

    def split_debug(self, kept, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run(["objcopy", "--only-keep-debug", kept, path], check=True)

    def test_names_in_the_trace(self):
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        os.remove(self.binary)
        self.assertEqual(self.report(), self.named)
        # Once more, with less at hand: what was known stays.
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        self.assertEqual(self.report(), self.named)
        self.pack()
        self.assertEqual(self.report(), self.named)

    def pack(self):
        self.assertEqual(lastref("pack", self.trace).status, 0)
        os.rename(self.trace + ".packed", self.trace)

    def test_names_in_a_packed_trace(self):
        self.pack()
        os.chmod(self.trace, 0o640)
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        os.remove(self.binary)
        self.assertEqual(self.report(), self.named)
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        self.assertEqual(self.report(), self.named)
        self.assertEqual(os.stat(self.trace).st_mode & 0o777, 0o640)
        plain = self.trace + ".plain"
        self.assertEqual(lastref("unpack", self.trace, "-o", plain).status, 0)
        os.rename(plain, self.trace)
        self.assertEqual(self.report(), self.named)

    def test_a_damaged_packed_trace_takes_no_names(self):
        self.pack()
        os.truncate(self.trace, os.path.getsize(self.trace) - 10)
        with open(self.trace, "rb") as file:
            before = file.read()
        result = lastref("symbolize", self.trace)
        self.assertEqual(result.status, 3, result)
        self.assertIn("takes no names", result.stderr)
        with open(self.trace, "rb") as file:
            self.assertEqual(file.read(), before)

    def symbolize_without_room(self, kibibytes):
        script = 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"'
        result = plain(["bash", "-c", script, "bash", str(kibibytes), LASTREF, "symbolize",
                        self.trace])
        self.assertEqual(result.status, 2, result)
        self.assertRegex(result.stderr, re.escape(self.trace) + ".*(can't|cannot) be written")

    def test_no_room_for_names(self):
        """The trace, plain or packed, keeps what it had; nothing else is left in its folder."""
        folder = os.path.dirname(self.trace)
        before = sorted(os.listdir(folder))
        self.symbolize_without_room(os.path.getsize(self.trace) // 1024)
        self.assertEqual(self.report(), self.named)
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        self.take_away()
        self.assertEqual(self.report(), self.named)
        self.symbolize_without_room(os.path.getsize(self.trace) // 1024)
        self.assertEqual(self.report(), self.named)
        self.pack()
        self.symbolize_without_room(1)
        self.assertEqual(self.report(), self.named)
        self.assertEqual(sorted(os.listdir(folder)), before)

    def test_sysroot(self):
        kept = self.take_away()
        self.assertNotIn("over_release.cpp", json.dumps(self.report()))
        root = os.path.join(self.directory, "root")
        there = root + self.binary
        os.makedirs(os.path.dirname(there))
        shutil.copy(kept, there)
        self.assertEqual(self.report("--sysroot", root), self.named)

    def test_debug_dir(self):
        kept = self.take_away()
        self.assertNotIn("over_release.cpp", json.dumps(self.report()))
        folder = os.path.join(self.directory, "debug")
        id = self.build_id()
        self.split_debug(kept, f"{folder}/.build-id/{id[:2]}/{id[2:]}.debug")
        self.assertEqual(self.report("--debug-dir", folder), self.named)

    def test_debuginfod(self):
        kept = self.take_away()
        self.assertNotIn("over_release.cpp", json.dumps(self.report()))
        served = os.path.join(self.directory, "served")
        self.split_debug(kept, f"{served}/buildid/{self.build_id()}/debuginfo")

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=served)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        named = self.report(env={
            "DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}", "no_proxy": "127.0.0.1",
            "DEBUGINFOD_CACHE_PATH": os.path.join(self.directory, "cache"),
            "HOME": self.directory})
        self.assertEqual(named, self.named)

    def test_damaged_names_are_told(self):
        self.assertEqual(lastref("symbolize", self.trace).status, 0)
        size = os.path.getsize(self.trace)
        os.truncate(self.trace, size - 200)
        found = report(self.trace)
        self.assertFalse(found["processes"][0]["complete"])
        self.assertIn("names", " ".join(found["processes"][0]["warnings"]))

    def test_an_unwritable_trace_is_named(self):
        result = lastref("symbolize", "/nowhere/trace")
        self.assertEqual(result.status, 3)
        self.assertIn("/nowhere/trace", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
