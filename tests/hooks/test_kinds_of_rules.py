"""Every way to name a function in a rule, and what becomes of hooks when libraries go and come back,
when the program confines itself, and where nothing can be hooked (programs/hooks/kinds*)."""

import collections
import os
import re
import shutil
import subprocess
import unittest

from lastref_testing import (HANG, LASTREF, LastrefTest, clean_environment, events, findings, info, lastref,
                             plain, program, report)

LIBRARY = os.path.join(os.path.dirname(program("hooks/kinds")), "libkinds_refs.so")
OBJ = "lib libkinds_refs.so\nobj Node rc=i64@0\n"
NODE_RULES = OBJ + """on "kinds::make_node(*)" out create id=ret
on "kinds::Node::retain()" in retain id=a0
on "kinds::Node::release*" in release id=a0
"""
COUNTED = ("create", "retain", "release", "destroy")


class KindsTest(LastrefTest):
    def kinds(self, rules, *arguments, around=(), **options):
        run = self.run_program([*around, program("hooks/kinds"), *(arguments or ("use",))],
                               options=["--hooks", self.rule_file(rules)], **options)
        if run.status == 77:
            self.skipTest("no seccomp filter can be installed")
        self.assert_exits(run)
        return run

    def ops(self, run):
        return collections.Counter(e["op"] for e in events(run.traces[0]) if e["op"] in COUNTED)

    def tool(self, *command):
        if not shutil.which(command[0]):
            self.skipTest(f"needs {command[0]}")
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def assert_balanced(self, run, type="Node"):
        result = report(run.traces)
        self.assertEqual(findings(result, type=type), [])
        hooked = {t["type"]: t for t in result["summary"]["hooked"]}
        self.assertEqual((hooked[type]["unseen"], hooked[type]["partial"]), (0, None))


class KindsOfRules(KindsTest):
    def test_demangled_names_with_wildcards(self):
        run = self.kinds(NODE_RULES)
        self.assertEqual(self.ops(run), {"create": 10, "retain": 10, "release": 20})
        self.assert_balanced(run)

    def test_an_overload_is_chosen_by_its_arguments(self):
        run = self.kinds(OBJ + 'on "kinds::Node::retain(long)" in retain id=a0\n')
        self.assertEqual(self.ops(run), {})

    def test_symbol_versions(self):
        for version, creates in (("KINDS_1", 5), ("KINDS_2", 5)):
            with self.subTest(version=version):
                run = self.kinds(OBJ + f"on kinds_make@{version} out create id=ret\n")
                self.assertEqual(self.ops(run), {"create": creates})
        missing = self.kinds(OBJ + "on kinds_make@KINDS_3 out create id=ret\n")
        self.assertEqual(self.ops(missing), {})
        self.assertIn("kinds_make@KINDS_3", info(missing.traces[0]))

    def test_an_offset_of_one_build(self):
        symbols = self.tool("nm", "-C", LIBRARY)
        offset = re.search(r"^(\w+) t kinds::make_node\(int\)", symbols, re.M)[1].lstrip("0")
        build_id = re.search(r"Build ID: (\w+)", self.tool("readelf", "-n", LIBRARY))[1]
        rule = OBJ + f"on +0x{offset}/{build_id[:12]} out create id=ret\n"
        self.assertEqual(self.ops(self.kinds(rule)), {"create": 10})
        checked = lastref("hooks", "check", self.rule_file(rule), LIBRARY)
        self.assertRegex(checked.stdout, rf"^ok +\+0x{offset} +libkinds_refs.so\n$")
        other = "0123456789ab" if build_id[:12] != "0123456789ab" else "ba9876543210"
        run = self.kinds(OBJ + f"on +0x{offset}/{other} out create id=ret\n")
        self.assertEqual(self.ops(run), {})
        self.assertIn("the file has another build-id", info(run.traces[0]))

    def test_symbols_that_were_stripped_into_a_file_of_their_own(self):
        """Found beside the library by the link that is left, and believed if it is of the same build."""
        stripped = os.path.join(self.directory, "libkinds_refs.so")
        symbols = stripped + ".debug"
        self.tool("objcopy", "--only-keep-debug", LIBRARY, symbols)
        self.tool("objcopy", "--strip-all", "--add-gnu-debuglink=" + symbols, LIBRARY, stripped)
        env = {"LD_LIBRARY_PATH": self.directory}
        self.assertEqual(self.ops(self.kinds(NODE_RULES, env=env)),
                         {"create": 10, "retain": 10, "release": 20})
        checked = lastref("hooks", "check", self.rule_file(NODE_RULES), stripped)
        self.assertEqual((checked.status, checked.stdout.count("ok ")), (0, 3), repr(checked))
        self.tool("objcopy", "--only-keep-debug", os.path.join(os.path.dirname(LIBRARY), "kinds"),
                  symbols)
        self.assertEqual(self.ops(self.kinds(NODE_RULES, env=env)), {})
        checked = lastref("hooks", "check", self.rule_file(NODE_RULES), stripped)
        self.assertIn("and no symbol table but the exported one", checked.stdout)

    def test_a_function_pointer_in_data(self):
        run = self.kinds(NODE_RULES + "slot kinds_operations+8 destroy? id=a0\n")
        self.assertEqual(self.ops(run), {"create": 10, "retain": 10, "release": 20, "destroy": 20})
        self.assert_balanced(run)

    def test_destroy_means_live_buffers_only(self):
        # Nothing but the create and a function that frees everything is hooked.
        rules = OBJ.replace(" rc=i64@0", "") + 'on "kinds::make_node(*)" out create id=ret\n'
        run = self.kinds(rules + "on kinds_free in destroy? id=a0\n")
        self.assertEqual(self.ops(run), {"create": 10, "destroy": 20})
        summary = report(run.traces)["summary"]
        self.assertEqual(summary["buffers"]["leaked"], 0)
        self.assertEqual([t["seen"] for t in summary["hooked"]], [20])
        self.assert_balanced(run)

    def test_the_program_has_its_arguments_and_environment(self):
        # The shim's constructor runs before libc's own.
        run = self.kinds(NODE_RULES, "environment", "word", env={"KINDS": "of rules"})
        self.assertEqual(run.stdout, "kinds environment word\nof rules\ndone\n")

    def test_a_library_is_unloaded_and_loaded_again(self):
        run = self.kinds(NODE_RULES, "reload", "5")
        self.assertEqual(self.ops(run), {"create": 50, "retain": 50, "release": 100})
        mappings = run.stdout.split()[:-1]
        self.assertEqual(len(mappings), 5)
        self.assertEqual(len(set(mappings)), 1, "each load leaves executable memory behind")

    def test_a_debugger_attaches_inside_a_hooked_function(self):
        if not shutil.which("gdb"):
            self.skipTest("needs gdb")
        rules = self.rule_file(NODE_RULES + "on kinds_wait out touch id=a0\n")
        trace = os.path.join(self.directory, "wait.trace")
        child = subprocess.Popen(
            [LASTREF, "run", "-o", trace, "--hooks", rules, "--", program("hooks/kinds"), "wait"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment())
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), "waiting\n")
        with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as file:
            pids = file.read().split() or [str(child.pid)]
        debugger = plain(["gdb", "-batch", "-nx", "-p", pids[0], "-ex", "bt", "-ex", "detach"],
                         env={"DEBUGINFOD_URLS": ""})
        if "ptrace: Operation not permitted" in debugger.stderr:
            self.skipTest("no process may be debugged here")
        frames = re.findall(r"^#\d+ .*?(?:in )?(\w+) \(", debugger.stdout, re.M)
        self.assertEqual([f for f in frames if f in ("read_line", "kinds_wait", "main")],
                         ["read_line", "kinds_wait", "main"], debugger)
        output, errors = child.communicate("go on\n", timeout=HANG)
        self.assertEqual((child.returncode, output), (0, "2\ndone\n"), errors)
        self.assertEqual([e["op"] for e in events(trace) if e["op"] == "touch"], ["touch"])


class Hardened(KindsTest):
    def assert_off(self, run, reason, types=("Node",)):
        self.assertEqual(run.stderr.count("hooks are off: "), 1, run.stderr)
        self.assertIn(reason, run.stderr)
        result = report(run.traces)
        self.assertGreater(result["summary"]["heap"]["allocations"], 10)
        self.assertEqual([f for f in findings(result) if f["type"] in types], [])
        return result

    def test_a_program_that_confines_itself(self):
        run = self.kinds(NODE_RULES, "confined")
        result = self.assert_off(run, "the program confines itself with seccomp")
        self.assertEqual(self.ops(run), {"create": 10, "retain": 10, "release": 20})
        self.assertIn("seccomp", result["summary"]["hooked"][0]["partial"])

    def refused(self, what, reason):
        trace = os.path.join(self.directory, "no_writing.trace")
        run = plain([program("hooks/no_writing"), what, LASTREF, "run", "-o", trace, "--hooks",
                     self.rule_file(NODE_RULES), "--", program("hooks/kinds"), "use"])
        if run.status == 77:
            self.skipTest("no seccomp filter can be installed")
        self.assertEqual((run.status, run.stdout), (0, "done\n"), run)
        run.traces = [trace]
        self.assert_off(run, reason)
        self.assertEqual(self.ops(run), {})

    def test_memory_that_cannot_be_written(self):
        self.refused("files", "code can't be written through /proc/self/mem (Operation not permitted)")

    def test_memory_that_cannot_be_made_executable(self):
        self.refused("code", "executable memory can't be had (Operation not permitted)")

    def test_no_proc(self):
        hide = "mount -t tmpfs none /proc && exec \"$@\""
        if plain(["unshare", "-m", "sh", "-c", hide, "sh", "true"]).status != 0:
            self.skipTest("no file system can be mounted here")
        run = self.kinds(NODE_RULES, around=["unshare", "-m", "sh", "-c", hide, "sh"],
                         env={"LD_LIBRARY_PATH": os.path.dirname(LIBRARY)})
        self.assertEqual(run.stdout, "done\n")
        run.traces = run.traces[-1:]
        self.assert_off(run, "code can't be written through /proc/self/mem")


if __name__ == "__main__":
    unittest.main(verbosity=2)
