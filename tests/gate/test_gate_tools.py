"""The gate inside the tools that README names: CTest, meson test, pytest."""

import os
import subprocess
import unittest

from gating import GATE, GateTest
from lastref_testing import clean_environment

LEAKY = "#include <stdlib.h>\nint main(void) { void* volatile p = malloc(9); p = 0; return p != 0; }\n"
CLEAN = "#include <stdlib.h>\nint main(void) { free(malloc(9)); return 0; }\n"


class Tools(GateTest):
    def run_tool(self, *command):
        result = subprocess.run(command, cwd=self.directory, capture_output=True, text=True,
                                timeout=120, check=False,
                                env=clean_environment(self.environment))
        self.assertEqual(os.listdir(self.temporary), [])
        return result

    def test_ctest_launcher(self):
        self.path("leaky.c", LEAKY)
        self.path("tidy.c", CLEAN)
        self.path("CMakeLists.txt", f"""
cmake_minimum_required(VERSION 3.18)
project(example C)
set(CMAKE_C_FLAGS "-g")
enable_testing()
foreach(name leaky tidy)
  add_executable(${{name}} ${{name}}.c)
  set_property(TARGET ${{name}} PROPERTY CROSSCOMPILING_EMULATOR "{os.path.abspath(GATE)};--")
  add_test(NAME ${{name}} COMMAND ${{name}})
endforeach()
""")
        for command in (["cmake", "-S", ".", "-B", "b"], ["cmake", "--build", "b"]):
            result = self.run_tool(*command)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        result = self.run_tool("ctest", "--test-dir", "b")
        self.assertRegex(result.stdout, r"leaky \.+\*\*\*Failed", result.stdout)
        self.assertRegex(result.stdout, r"tidy \.+ +Passed", result.stdout)

    def test_meson_wrapper(self):
        self.path("leaky.c", LEAKY)
        self.path("tidy.c", CLEAN)
        self.path("meson.build", """
project('example', 'c')
test('leaky', executable('leaky', 'leaky.c'))
test('tidy', executable('tidy', 'tidy.c'))
""")
        result = self.run_tool("meson", "setup", "b")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        result = self.run_tool("meson", "test", "-C", "b", "--wrapper", os.path.abspath(GATE) + " --")
        self.assertRegex(result.stdout, r"leaky +FAIL", result.stdout)
        self.assertRegex(result.stdout, r"tidy +OK", result.stdout)

    def test_pytest(self):
        self.path("test_programs.py", """
import ctypes, subprocess
def test_clean():
    subprocess.run(['./program'], check=True)
""")
        self.path("leaky.c", LEAKY)
        self.path("tidy.c", CLEAN)
        for name, status in (("tidy", 0), ("leaky", 1)):
            subprocess.run(["cc", "-g", "-o", "program", name + ".c"], cwd=self.directory, check=True)
            run = self.gate("--", "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider")
            self.assertEqual(run.status, status, repr(run))
            self.assertIn("1 passed", run.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
