"""`meson install` into a staging directory: everything is there and works from there."""

import glob
import os
import re
import subprocess
import unittest

from lastref_testing import LastrefTest, clean_environment, plain, traces_in

BUILD = os.environ["LASTREF_BUILD"]

SOURCE = """
#include <lastref/lastref.h>
static char buffer[8];
int main(void) {
    lastref_create(buffer, sizeof buffer, "Installed");
    return lastref_active();
}
"""


class Install(LastrefTest):
    def setUp(self):
        super().setUp()
        self.stage = os.path.join(self.directory, "stage")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", self.stage],
                       check=True, capture_output=True)

    def installed(self, pattern):
        found = glob.glob(os.path.join(self.stage, "**", pattern), recursive=True)
        self.assertEqual(len(found), 1, f"{pattern}: {found}")
        return found[0]

    def test_command_finds_its_shim(self):
        command = self.installed("bin/lastref")
        shim = self.installed("liblastref.so")
        traces = os.path.join(self.directory, "traces")
        os.mkdir(traces)
        # Neither the build tree's shim nor one from the environment may help.
        for variable in ("LASTREF_SHIM", "LASTREF", "LASTREF_BUILD"):
            os.environ.pop(variable, None)
        run = plain([command, "run", "-o", os.path.join(traces, "%e.%p.%n.trace"), "--",
                     "/bin/sh", "-c", "grep liblastref /proc/self/maps"], cwd=self.directory)
        self.assertEqual(run.status, 0, repr(run))
        mapped = {line.split()[-1] for line in run.stdout.splitlines()}
        self.assertEqual({os.path.realpath(path) for path in mapped}, {os.path.realpath(shim)})
        report = plain([command, "report", *traces_in(traces)])
        self.assertEqual(report.status, 0, repr(report))

    def test_manual_pages(self):
        """One for each command, of valid syntax, with the options of --help."""
        command = self.installed("bin/lastref")
        commands = re.findall(r"^  (\w+) ", plain([command, "--help"]).stdout.split("Subcommands:")[1]
                              .split("Examples:")[0], re.M)
        self.assertIn("help", commands)
        pages = glob.glob(os.path.join(self.stage, "**", "man1", "*.1"), recursive=True)
        self.assertEqual({os.path.basename(page) for page in pages},
                         {"lastref.1"} | {f"lastref-{name}.1" for name in commands if name != "help"})
        for page in pages:
            name = os.path.basename(page)[:-2].partition("-")[2]
            text = plain([command, "help", *([name] if name else [])]).stdout
            with open(page, encoding="utf-8") as file:
                source = file.read()
            for option in re.findall(r"^  +(?:-\w,)?(--[\w-]+)", text, re.M):
                self.assertIn(option.replace("-", "\\-"), source, page)
            for line in source.splitlines():
                if line.startswith("."):
                    self.assertRegex(line, r"^\.(TH|SH|TP|nf|fi)\b", page)

    def test_header_and_pkg_config_file(self):
        self.installed("include/lastref/lastref.h")
        pc = self.installed("lastref.pc")
        pkg_config = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "lastref"], capture_output=True, text=True,
            check=True, env=clean_environment({"PKG_CONFIG_LIBDIR": os.path.dirname(pc),
                                               "PKG_CONFIG_SYSROOT_DIR": self.stage}))
        flags = pkg_config.stdout.split()
        self.assertNotIn("-llastref", flags, "a program that uses the header links nothing")
        source, program = (os.path.join(self.directory, n) for n in ("user.c", "user"))
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["cc", source, "-o", program, *flags], check=True)
        self.assertEqual(plain([program]).status, 0)
        command = self.installed("bin/lastref")
        trace = os.path.join(self.directory, "user.trace")
        run = plain([command, "run", "-o", trace, "--", program], cwd=self.directory)
        self.assertEqual(run.status, 1, repr(run))


if __name__ == "__main__":
    unittest.main(verbosity=2)
