"""Faults planted in programs that use other people's libraries: the right type, count and place."""

import os
import unittest

from lastref_testing import LastrefTest, events, findings, program, report

TINY_RULES = """
lib libtiny_refs.so
obj Box rc=i32@12
on box_create out create  id=ret
on box_get    in  retain  id=a0
on box_put    in  release id=a0
"""


class Planted(LastrefTest):
    def is_planted(self, created):
        """By its stack; what GStreamer's pools keep as buffers' memory is theirs."""
        functions = [frame["function"] for frame in created]
        return "use_one" in functions and "gst_memory_init" not in functions

    def leak(self, scenario, hooks, type, env=None, culprit="hold_one", holder="hold_one",
             arguments=()):
        """The one leak that `planted SCENARIO` has, after checking all that it must be."""
        run = self.run_program([program("hooks/planted"), scenario, *arguments],
                               options=["--hooks", hooks], env=env)
        if run.status == 77:
            self.skipTest(f"no library for {scenario}")
        self.assert_exits(run)
        self.assertEqual(run.stdout, "done\n")
        self.traces = run.traces
        result = report(run.traces)
        # GStreamer keeps some of its own for good.
        found = [f for f in findings(result, "refcount-leak", type) if self.is_planted(f["created"])]
        self.assertEqual([(f["count"], f["final_count"]) for f in found],
                         [(3, {"min": 1, "max": 1})], findings(result, type=type))
        leak = found[0]
        self.assertEqual(leak["culprit"]["frame"]["function"], culprit)
        self.assertIn(holder, [frame["function"] for frame in leak["culprit"]["stack"]])
        events = leak["example"]["events"]
        self.assertEqual([e["op"] for e in events], ["create", "retain", "release"])
        self.assertIn("use_one", [frame["function"] for frame in events[0]["stack"]])
        self.assertIn(holder, [frame["function"] for frame in events[1]["stack"]])
        self.assertEqual([e["count"] for e in leak["example"]["events"]], [1, 2, 1])
        hooked = {t["type"]: t for t in result["summary"]["hooked"]}
        self.assertEqual(hooked[type]["unseen"], 0)
        self.assertIsNone(hooked[type]["partial"])
        return result

    def test_glib_bytes(self):
        self.leak("glib", "glib", "GBytes")

    def test_gobject(self):
        self.leak("gobject", "glib", "GObject")

    def test_ffmpeg_buffer(self):
        self.leak("ffmpeg", "ffmpeg", "AVBuffer")

    def test_openssl_certificate(self):
        self.leak("openssl", "openssl", "X509")

    def test_dbus_message(self):
        self.leak("dbus", "dbus", "DBusMessage")

    def test_gstreamer_buffer(self):
        self.leak("gstreamer", "gstreamer", "GstMiniObject",
                  env={"GST_PLUGIN_SYSTEM_PATH": "/nonexistent", "GST_REGISTRY":
                       os.path.join(self.directory, "registry")})

    def from_pool(self, scenario, hooks, type, places, env=None):
        """A buffer of a pool lives until it is put back; others live in the same places then."""
        self.leak(scenario, hooks, type, env)
        lives = [event["address"] for event in events(self.traces[0], "--stacks")
                 if event["op"] == "create" and event["type"] == type
                 and self.is_planted(event["stack"])]
        self.assertEqual((len(lives), len(set(lives))), (10, places))

    def test_ffmpeg_pool(self):
        # It allocates an AVBuffer of its own, which lies in the pool's entry from then on.
        self.from_pool("ffmpeg-pool", "ffmpeg", "AVBuffer", 7)

    def test_gstreamer_pool(self):
        self.from_pool("gstreamer-pool", "gstreamer", "GstMiniObject", 4,
                       env={"GST_PLUGIN_SYSTEM_PATH": "/nonexistent", "GST_REGISTRY":
                            os.path.join(self.directory, "registry")})

    def error_path(self, scenario, hooks, type, env=None):
        """Only where a call fails is a release missing: at the function that took the reference."""
        result = self.leak(scenario, hooks, type, env, culprit="convert_one", holder="convert_one",
                           arguments=["error"])
        leak = next(f for f in findings(result, "refcount-leak", type)
                    if "use_one" in [frame["function"] for frame in f["created"]])
        self.assertEqual(leak["culprit"]["cause"], "missing-release")

    def test_glib_error_path(self):
        self.error_path("glib", "glib", "GBytes")

    def test_gobject_error_path(self):
        self.error_path("gobject", "glib", "GObject")

    def test_ffmpeg_error_path(self):
        self.error_path("ffmpeg", "ffmpeg", "AVBuffer")

    def test_openssl_error_path(self):
        self.error_path("openssl", "openssl", "X509")

    def test_dbus_error_path(self):
        self.error_path("dbus", "dbus", "DBusMessage")

    def test_gstreamer_error_path(self):
        self.error_path("gstreamer", "gstreamer", "GstMiniObject",
                        env={"GST_PLUGIN_SYSTEM_PATH": "/nonexistent", "GST_REGISTRY":
                             os.path.join(self.directory, "registry")})

    def test_own_library_with_hidden_symbols(self):
        rules = self.rule_file(TINY_RULES)
        self.leak("tiny", rules, "Box", culprit="tiny_box_share")

    def test_missing_function_makes_the_type_partial(self):
        rules = self.rule_file(TINY_RULES + "on box_steal in release id=a0\n")
        run = self.run_program([program("hooks/planted"), "tiny"], options=["--hooks", rules])
        result = report(run.traces)
        self.assertEqual(findings(result, "refcount-leak", "Box"), [])
        held = findings(result, "held", "Box")
        self.assertEqual([f["count"] for f in held], [3])
        self.assertIn("box_steal", held[0]["reason"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
