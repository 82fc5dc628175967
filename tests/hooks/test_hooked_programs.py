"""Programs whose libraries are hooked behave as without, and their buffers balance."""

import collections
import hashlib
import os
import re
import shutil
import unittest

from lastref_testing import LastrefTest, events, findings, info, plain, program, report


class HookedPrograms(LastrefTest):
    def encode(self, threads, hooks=None):
        """The encoded clip's hash, and the run."""
        clip = os.path.join(self.directory, "clip.avi")
        command = [shutil.which("ffmpeg"), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
                   "-filter_threads", str(threads), "-threads", str(threads),
                   "-f", "lavfi", "-i", "testsrc=duration=2:size=320x240:rate=25",
                   "-vf", "hue=s=0", "-c:v", "mpeg4", "-threads", str(threads), "-bitexact", clip]
        run = self.run_program(command, options=["--hooks", hooks]) if hooks else plain(command)
        self.assert_exits(run)
        with open(clip, "rb") as file:
            return hashlib.md5(file.read()).hexdigest(), run

    @unittest.skipUnless(shutil.which("ffmpeg"), "needs ffmpeg")
    def test_ffmpeg_balances(self):
        for threads in (1, 4):
            with self.subTest(threads=threads):
                expected, _ = self.encode(threads)
                got, run = self.encode(threads, "ffmpeg")
                self.assertEqual(got, expected)
                result = report(run.traces)
                self.assert_complete(result)
                hooked = result["summary"]["hooked"]
                self.assertEqual([t["type"] for t in hooked], ["AVBuffer"])
                self.assertGreater(hooked[0]["seen"], 500)
                self.assertIsNone(hooked[0]["partial"])
                if threads == 1:
                    self.assertRegex(info(run.traces[0]), r"(?m)^threads +1$")
                    self.assertEqual(hooked[0]["unseen"], 0)
                self.assertEqual([f for f in findings(result, type="AVBuffer")], [])

    @unittest.skipUnless(shutil.which("ffmpeg"), "needs ffmpeg")
    def test_every_exported_function_of_five_libraries(self):
        expected, _ = self.encode(1)
        rules = self.rule_file("lib libavutil.so.*|libavcodec.so.*|libavformat.so.*|libavfilter.so.*|"
                           'libswscale.so.*\nobj Any\non "*" in touch id=0x1000\n')
        got, run = self.encode(1, rules)
        self.assertEqual(got, expected)
        hooked = [line for line in info(run.traces[0]).splitlines()
                  if line.endswith("functions hooked")]
        self.assertEqual(len(hooked), 5, hooked)
        calls = re.search(r"(?m)^  touch +(\d+)$", info(run.traces[0]))
        self.assertGreater(int(calls[1]), 50000)
        self.assert_complete(report(run.traces))
        self.assertGreater(sum(int(line.split()[-3]) for line in hooked), 900)

    @unittest.skipUnless(shutil.which("gst-launch-1.0"), "needs gst-launch-1.0")
    def test_gstreamer_pipeline_balances(self):
        run = self.run_program(
            ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=300", "!",
             "video/x-raw,width=64,height=48", "!", "tee", "name=t", "!", "queue", "!",
             "videoconvert", "!", "fakesink", "t.", "!", "queue", "!", "fakesink"],
            options=["--hooks", "gstreamer"])
        self.assert_exits(run)
        result = report(run.traces)
        self.assert_complete(result)
        hooked = {t["type"]: t for t in result["summary"]["hooked"]}
        self.assertGreater(hooked["GstMiniObject"]["seen"], 3000)
        misuse = [f for f in findings(result, type="GstMiniObject")
                  if f["kind"] not in ("refcount-leak", "held")]
        self.assertEqual(misuse, [])

    def test_ways_out_of_a_hooked_function(self):
        expected = plain([program("hooks/unusual_ways")])
        rules = self.rule_file("lib <exe>\nobj Way\non way_out out touch id=ret+4096\n"
                           "on way_out in touch id=a0+4096\n")
        run = self.run_program([program("hooks/unusual_ways")], options=["--hooks", rules])
        self.assert_exits(run)
        self.assertEqual(run.stdout, expected.stdout)
        # In three rounds: each way out once, besides a return in the signal handler, and a return and
        # an exception in the coroutine.
        entered = collections.Counter(e["address"] for e in events(run.traces[0])
                                      if e["op"] == "touch")
        self.assertEqual([entered[hex(4096 + way)] for way in range(7)], [9, 6, 3, 3, 3, 3, 3])

    def test_a_storm_of_signals_whose_handler_calls_hooked_functions(self):
        """Each call is recorded, or counted as lost where the handler interrupts a recording."""
        rules = self.rule_file("lib <exe>\nobj Call\non storm_main in touch id=a0\n"
                               "on storm_handler in destroy id=a0\n")
        run = self.run_program([program("hooks/signal_storm")], options=["--hooks", rules])
        self.assert_exits(run)
        calls, handled = (int(number) for number in run.stdout.split())
        seen = {op: int(times) for op, times in re.findall(r"(?m)^  (touch|destroy) +(\d+)$",
                                                           info(run.traces[0]))}
        self.assertEqual(seen["touch"], calls)
        self.assertEqual(seen["destroy"] + report(run.traces)["processes"][0]["lost"], handled)


if __name__ == "__main__":
    unittest.main(verbosity=2)
