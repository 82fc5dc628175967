"""The examples of doc/gate.md for CI services and test tools, as they stand there. Files for a hosted
service are parsed, and the commands in them run."""

import os
import re
import shutil
import subprocess
import textwrap
import unittest

import yaml

from gating import GATE, GateTest
from lastref_testing import clean_environment

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "gate.md")
LEAKY = "#include <stdlib.h>\nint main(void) { void* volatile p = malloc(9); p = 0; return p != 0; }\n"
CLEAN = "#include <stdlib.h>\nint main(void) { free(malloc(9)); return 0; }\n"


def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def block(introduction):
    """The indented lines after the paragraph that begins so."""
    found = re.search(r"^" + re.escape(introduction) + r".*?\n\n((?:(?:    [^\n]*)?\n)+)",
                      page(), re.M | re.S)
    assert found, introduction
    return textwrap.dedent(found.group(1)).strip("\n")


class Examples(GateTest):
    """In a folder with a project of two tests, built by every tool: `leaky` and `tidy`."""

    def setUp(self):
        super().setUp()
        self.path("leaky.c", LEAKY)
        self.path("tidy.c", CLEAN)
        os.mkdir(self.path("scripts"))
        for folder in ("scripts", "."):
            shutil.copy(GATE, self.path(folder))

    def run_here(self, command):
        """A line for the shell, as CI runs it."""
        result = subprocess.run(["sh", "-ec", command], cwd=self.directory, capture_output=True,
                                text=True, check=False,
                                env=clean_environment(self.environment))
        self.assertEqual(os.listdir(self.temporary), [])
        return result

    def prepare(self, command):
        result = self.run_here(command)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def cmake_project(self, test="add_test(NAME my_test COMMAND my_test)"):
        self.path("CMakeLists.txt", "cmake_minimum_required(VERSION 3.18)\nproject(example C)\n"
                  "set(CMAKE_C_FLAGS -g)\nenable_testing()\n" + "".join(
                      f"add_executable({name} {name}.c)\n{test.replace('my_test', name)}\n"
                      for name in ("leaky", "tidy")))
        self.prepare("cmake -S . -B build && cmake --build build")

    def meson_project(self):
        self.path("meson.build", "project('example', 'c')\n" + "".join(
            f"test('{name}', executable('{name}', '{name}.c'))\n" for name in ("leaky", "tidy")))
        self.prepare("meson setup build && meson compile -C build")

    def assert_leak_found(self, result):
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("leak-gate: FAIL", result.stderr)
        self.assertIn("1 new", result.stderr)
        self.assertIn("leaky.c:2 (main)", result.stderr)

    def test_github_actions(self):
        gate, upload = yaml.safe_load(block("GitHub Actions:"))
        self.cmake_project()
        self.path("leaks.txt", "")
        result = self.run_here(gate["run"])
        self.assert_leak_found(result)
        self.assertIn("::error file=leaky.c,line=2", result.stdout)
        self.assertTrue(os.path.exists(self.path(upload["with"]["sarif_file"])))
        self.assertEqual(upload["if"], "always()")

    def test_gitlab_ci(self):
        job = yaml.safe_load(block("GitLab CI:"))["leaks"]
        self.meson_project()
        self.assert_leak_found(self.run_here(job["script"]))
        self.assertEqual(set(job["artifacts"]["reports"]), {"junit", "codequality"})
        for report in job["artifacts"]["reports"].values():
            self.assertGreater(os.path.getsize(self.path(report)), 100)

    def test_jenkins(self):
        stage = block("Jenkins:")
        self.path("Makefile", "CFLAGS = -g\ncheck: leaky tidy\n\t./leaky\n\t./tidy\n")
        self.prepare("make leaky tidy")
        self.assert_leak_found(self.run_here(re.search(r"sh '(.*?)'", stage).group(1)))
        report = re.search(r"junit '(.*?)'", stage).group(1)
        self.assertIn("<failure ", self.read(report))

    def test_ctest_launcher(self):
        self.cmake_project(block("CTest,"))
        result = self.run_here("ctest --test-dir build || true")
        self.assertRegex(result.stdout, r"leaky \.+\*\*\*Failed", result.stdout)
        self.assertRegex(result.stdout, r"tidy \.+ +Passed", result.stdout)

    def test_meson_wrapper(self):
        self.meson_project()
        result = self.run_here(re.search(r"`(meson test [^`]*--wrapper [^`]*)`", page()).group(1)
                               + " || true")
        self.assertRegex(result.stdout, r"leaky +FAIL", result.stdout)
        self.assertRegex(result.stdout, r"tidy +OK", result.stdout)

    def test_pytest(self):
        self.path("test_programs.py", "import subprocess\ndef test_clean():\n"
                  "    subprocess.run(['./program'], check=True)\n")
        command = block("Meson,").replace("python3 ", "/usr/bin/python3 ")
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"
        for name, status in (("tidy", 0), ("leaky", 1)):
            self.prepare(f"cc -g -o program {name}.c")
            result = self.run_here(command + " -p no:cacheprovider")
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
            self.assertIn("1 passed", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
