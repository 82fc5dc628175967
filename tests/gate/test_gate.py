"""Each exit status of the gate by a real run, and that nothing is left behind."""

import os
import shutil
import signal
import subprocess
import unittest

from gating import CLEAN, GATE, HEAP_LEAK, GateTest
from lastref_testing import HANG, clean_environment, program, strip_to


class Statuses(GateTest):
    def test_clean_passes(self):
        self.assert_gate(0, "--", *CLEAN, says="PASS: 4 traces")

    def test_leak_fails_and_is_named(self):
        run = self.assert_gate(1, "--", HEAP_LEAK, says="FAIL: 1 trace, 2 new")
        self.assertIn("25 heap blocks", run.stderr)
        self.assertIn("Inventory::load", run.stderr)
        self.assertEqual(run.stdout, "loaded\n", "the command's output is its own")

    def test_leaked_buffers_fail(self):
        self.assert_gate(1, "--", program("lifecycle/release_always_missing"),
                         says="100 buffers of type Order")

    def test_leak_in_a_child_of_a_shell_fails(self):
        self.assert_gate(1, "--", "sh", "-c", f"{HEAP_LEAK}; true", says="2 new")

    def test_plain_memory_of_the_systems_programs_is_judged_on_demand(self):
        self.assert_gate(0, "--", "sh", "-c", "x=1; :", says="left out")
        self.assert_gate(1, "--system", "--", "sh", "-c", "x=1; :")

    def test_other_folders_may_hold_the_systems_programs(self):
        folder = os.path.dirname(HEAP_LEAK)
        self.assert_gate(0, "--system-folder", folder, "--", HEAP_LEAK, says="left out")
        self.assert_gate(1, "--system-folder", folder[:-1], "--", HEAP_LEAK)

    def test_failing_command_gives_its_own_status(self):
        self.assert_gate(7, "--", "sh", "-c", f"{HEAP_LEAK}; exit 7", says="FAIL")
        self.assert_gate(1, "--keep-going", "--", "sh", "-c", f"{HEAP_LEAK}; exit 7")

    def test_killed_command_gives_its_signal(self):
        self.assert_gate(137, "--", "sh", "-c", "kill -9 $$", says="status 137")

    def test_command_whose_time_is_over(self):
        self.assert_gate(124, "--timeout", "1", "--", "sh", "-c", "sleep 60; true",
                         says="not done after 1 seconds")
        self.assert_gate(3, "--timeout", "1", "--keep-going", "--", "sleep", "60")

    def test_cleaned_environment_is_inconclusive(self):
        self.assert_gate(3, "--", "env", "-i", *CLEAN, says="left no trace")
        self.assert_gate(3, "--", "sh", "-c", f"unset LD_PRELOAD; {HEAP_LEAK}",
                         says="left no trace")
        self.assert_gate(0, "--allow-untraced", "--", "env", "-i", *CLEAN)

    def test_child_without_a_program_to_run_is_no_doubt(self):
        """Python starts programs by vfork, and tries one folder of PATH after the other."""
        missing = ("import subprocess\n"
                   "for _ in range(3):\n"
                   "    try: subprocess.run(['no-such-program'])\n"
                   "    except FileNotFoundError: print('missing')\n")
        run = self.assert_gate(0, "--", "/usr/bin/python3", "-c", missing)
        self.assertEqual(run.stdout, "missing\n" * 3)
        self.assert_gate(3, "--", "/usr/bin/python3", "-c",
                         missing + "subprocess.run(['true'], env={})", says="left no trace")
        for way in ("failing-vfork", "failing-posix_spawn", "failing-exec"):
            self.assert_gate(0, "--kinds", "refcount-leak", "--", program("process/launch"), way)

    def test_children_that_are_not_followed_are_inconclusive(self):
        self.assert_gate(3, "--", *CLEAN, env={"LASTREF_FOLLOW_FORK": "0"}, says="left no trace")

    def test_nothing_recorded_is_inconclusive(self):
        self.assert_gate(3, "--level", "disabled", "--", *CLEAN, says="planted control")

    def test_sample_finds_or_is_inconclusive(self):
        self.assert_gate(3, "--level", "simple", "--", *CLEAN, says="coverage too low")

    def test_broad_suppression_breaks_the_control(self):
        everything = self.path("all.supp", "leak:*\n")
        self.assert_gate(3, "--suppressions", everything, "--", HEAP_LEAK, says="too broad")

    def test_stripped_control_is_still_named(self):
        """And a control without any name is no proof."""
        folder = self.path("install")
        os.mkdir(folder)
        built = os.path.dirname(self.environment["LASTREF"])
        for name in ("lastref", "lastref-control"):
            shutil.copy(os.path.join(built, name), folder)
        shutil.copy(os.path.join(built, "..", "shim", "liblastref.so"), folder)
        env = {"LASTREF": os.path.join(folder, "lastref")}
        control = os.path.join(folder, "lastref-control")
        subprocess.run(["strip", control], check=True)
        self.assert_gate(0, "--", *CLEAN, env=env)
        # The control's own names gone, as for a symbolizer that does not work.
        with open(control, "rb") as file:
            code = file.read()
        with open(control, "wb") as file:
            file.write(code.replace(b"lastref_control_leak\0", b"xxxxxxx_control_leak\0"))
        self.assert_gate(3, "--", *CLEAN, env=env, says="without a function's name")
        os.remove(control)
        self.assert_gate(3, "--", *CLEAN, env=env, says="lastref-control")

    def test_names_may_be_elsewhere(self):
        stripped, debug, root = self.path("stripped"), self.path("debug"), self.path("root")
        strip_to(HEAP_LEAK, stripped, debug)
        os.makedirs(root + os.path.dirname(stripped))
        shutil.copy(HEAP_LEAK, root + stripped)
        run = self.assert_gate(1, "--", stripped, says="25 heap blocks")
        self.assertNotIn("Inventory::load", run.stderr)
        self.assert_gate(1, "--debug-dir", debug, "--", stripped, says="Inventory::load")
        self.assert_gate(1, "--sysroot", root, "--", stripped, says="Inventory::load")

    def test_truncated_trace_is_inconclusive(self):
        self.assert_gate(3, "--", "sh", "-c",
                         f"{CLEAN[0]} child && truncate -s 9000 ${{LASTREF_OUT%/*}}/short_*.trace",
                         says="damaged")

    def test_unreadable_trace_is_inconclusive(self):
        self.assert_gate(3, "--", "sh", "-c",
                         f"{CLEAN[0]} child && printf x | dd of=$(echo ${{LASTREF_OUT%/*}}/short_*.trace)"
                         " bs=1 seek=8 conv=notrunc 2>/dev/null")

    def test_two_thousand_children(self):
        self.assert_gate(0, "--", CLEAN[0], "2000", says="PASS: 3001 traces")

    def test_wrong_usage(self):
        for arguments in ([], ["--"], ["--no-such-option", "--", "true"],
                          ["--kinds", "heap-leek", "--", "true"],
                          ["--min-confidence", "2", "--", "true"],
                          ["--budget", "heap", "--", "true"], ["--budget", "heap=x", "--", "true"],
                          ["--update-baseline", "--", "true"],
                          ["--", self.path("no_such_program")]):
            with self.subTest(arguments):
                run = self.assert_gate(2, *arguments)
                self.assertTrue(run.stderr.startswith("lastref: "), run.stderr)

    def test_without_lastref_it_says_so(self):
        copy = self.path("leak-gate")
        shutil.copy(GATE, copy)
        run = subprocess.run([copy, "--", "true"], capture_output=True, text=True,
                             env={"PATH": "/usr/bin:/bin"}, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("LASTREF", run.stderr)


class Leftovers(GateTest):
    def start(self, *command):
        return subprocess.Popen([GATE, "--", *command], cwd=self.directory,
                                env=clean_environment(self.environment),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_signals_end_the_command_and_leave_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            fifo = self.path(f"fifo.{int(number)}")
            os.mkfifo(fifo)
            # The gate would inherit signals that the tests ignore (nohup).
            before = signal.signal(number, signal.SIG_DFL)
            gate = self.start(program("gate/waits"), fifo)
            signal.signal(number, before)
            with open(fifo, "rb"):  # returns when the command runs
                gate.send_signal(number)
                gate.communicate(timeout=HANG)
            self.assertEqual(gate.returncode, 128 + number)
            self.assertEqual(os.listdir(self.temporary), [])

    def test_two_gates_in_one_folder(self):
        first, second = self.start(HEAP_LEAK), self.start(*CLEAN)
        first.communicate(timeout=HANG)
        second.communicate(timeout=HANG)
        self.assertEqual((first.returncode, second.returncode), (1, 0))
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertEqual(os.listdir(self.directory), ["tmp"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
