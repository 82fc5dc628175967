"""Events seen, held against what a debugger's breakpoints count in the same program without lastref."""

import collections
import os
import re
import shutil
import subprocess
import unittest

from lastref_testing import LastrefTest, clean_environment, events, plain, program


@unittest.skipUnless(shutil.which("gdb"), "needs gdb")
class IndependentCount(LastrefTest):
    def breakpoint_hits(self, command, places, env):
        """How often each (function, condition or "") was entered. For programs that do not fork."""
        script = os.path.join(self.directory, "count.gdb")
        with open(script, "w", encoding="ascii") as file:
            file.write("set breakpoint pending on\nset confirm off\n")
            for number, (function, condition) in enumerate(places, 1):
                file.write(f"break -qualified {function}{condition and ' if ' + condition}\n"
                           f"ignore {number} 100000000\n")
            file.write("run\ninfo breakpoints\n")
        result = subprocess.run(["gdb", "-batch", "-nx", "-x", script, "--args", *command],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, env=clean_environment({"DEBUGINFOD_URLS": "", **env}),
                                check=False)
        if "exited normally" not in result.stdout:
            self.skipTest("no process may be debugged here: " + result.stderr)
        hits = [0] * len(places)
        listed = result.stdout[result.stdout.index("\nNum "):]
        for number, times in re.findall(r"^(\d+) .*\n(?:\t[^\n]*\n)*?\tbreakpoint already hit (\d+)",
                                        listed, re.M):
            hits[int(number) - 1] = int(times)
        return hits

    def assert_equal_counts(self, hooks, type, command, env=None, **functions):
        """`functions`: for each op the functions that mean it, a condition after a blank."""
        places = [(op, function.partition(" ")[0], function.partition(" ")[2])
                  for op, all_of_it in functions.items() for function in all_of_it]
        hits = self.breakpoint_hits(command, [place[1:] for place in places], env or {})
        expected = collections.Counter()
        for (op, _, _), times in zip(places, hits):
            expected[op] += times
        run = self.run_program(command, options=["--hooks", hooks], env=env)
        self.assert_exits(run)
        seen, of_type = collections.Counter(), set()
        for event in events(run.traces[0]):
            if event.get("type") == type:
                of_type.add(event["address"])
            if event["op"] in functions and event.get("address") in of_type:
                seen[event["op"]] += 1
        self.assertEqual(seen, expected)
        self.assertGreater(min(hits), 0, hits)

    def test_bytes(self):
        self.assert_equal_counts("glib", "GBytes", [program("hooks/planted"), "glib"],
                                 create=["g_bytes_new_with_free_func"], retain=["g_bytes_ref"],
                                 release=["g_bytes_unref"])

    def test_objects(self):
        self.assert_equal_counts("glib", "GObject", [program("hooks/planted"), "gobject"],
                                 retain=["g_object_ref"], release=["g_object_unref"])

    def test_gstreamer(self):
        env = {"GST_PLUGIN_SYSTEM_PATH": "/nonexistent",
               "GST_REGISTRY": os.path.join(self.directory, "registry")}
        command = [program("hooks/planted"), "gstreamer"]
        plain(command, env=env)  # writes the registry
        self.assert_equal_counts("gstreamer", "GstMiniObject", command, env=env,
                                 create=["gst_mini_object_init"], retain=["gst_mini_object_ref"],
                                 release=["gst_mini_object_unref"])

    def test_certificates(self):
        self.assert_equal_counts("openssl", "X509", [program("hooks/planted"), "openssl"],
                                 retain=["X509_up_ref"], release=["X509_free $rdi != 0"])

    @unittest.skipUnless(shutil.which("ffmpeg"), "needs ffmpeg")
    def test_ffmpeg(self):
        self.assert_equal_counts(
            "ffmpeg", "AVBuffer",
            [shutil.which("ffmpeg"), "-loglevel", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
             "testsrc=duration=0.2:size=64x48:rate=25", "-c:v", "mpeg4", "-threads", "1", "-f",
             "null", "-"],
            # A pool hands out what lies in its list, behind its lock (libavutil 57); else it creates.
            create=["av_buffer_create", "av_buffer_pool_get *(long *)($rdi + 40) != 0"],
            retain=["av_buffer_ref"],
            release=["av_buffer_unref $rdi != 0 && *(long *)$rdi != 0"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
