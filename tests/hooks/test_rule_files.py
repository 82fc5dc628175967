"""Rule files, good and bad, and what `lastref hooks` and `lastref run` say of them."""

import os
import unittest

from lastref_testing import LastrefTest, events, info, lastref, program


class RuleFiles(LastrefTest):
    def run_tiny(self, rules, *options, env=None):
        return self.run_program([program("hooks/planted"), "tiny"],
                                options=["--hooks", rules, *options], env=env)

    def ops(self, run):
        return [e["op"] for e in events(run.traces[0]) if e["op"] in ("create", "retain", "release")]

    def test_a_wrong_line_is_named_and_the_others_are_used(self):
        rules = self.rule_file("lib libtiny_refs.so\nobj Box\n"
                           "on box_create out create id=ret\n"
                           "on box_get in retrain id=a0\n"
                           "on box_put in release id=a9\n")
        run = self.run_tiny(rules)
        self.assert_exits(run)
        self.assertIn(f"{rules}:4:15: expected create, create?, retain", run.stderr)
        self.assertIn(f"{rules}:5:26: expected a0 to a5, found 'a9'", run.stderr)
        self.assertEqual(self.ops(run), ["create"] * 10)

    def test_strict_hooks_do_not_start_the_program(self):
        rules = self.rule_file("lib libtiny_refs.so\nobj Box colour=red\n")
        run = self.run_tiny(rules, "--strict-hooks")
        self.assert_exits(run, 2)
        self.assertEqual((run.stdout, run.traces), ("", []))
        self.assertIn(f"{rules}:2:9: expected rc=, revives, implicit or if, found 'colour=red'",
                      run.stderr)

    def test_an_unknown_pack_is_refused(self):
        run = self.run_tiny("no-such-pack")
        self.assert_exits(run, 2)
        self.assertIn("no-such-pack.rules: can't be read", run.stderr)

    def test_a_bad_pointer_is_caught_and_named(self):
        # The first words of a box are its name: zero, so no object; with an offset, a bad pointer.
        rules = self.rule_file("lib libtiny_refs.so\nobj Box\n"
                           "on box_create out create id=[[ret]+0x123456789]\n".replace(
                               "0x123456789", "0x7ffffff0") +
                           "on box_get in retain id=a0\n"
                           "on box_put in release id=[[a0]+0x7ffffff0]\n")
        run = self.run_tiny(rules)
        self.assert_exits(run)
        self.assertEqual(run.stdout, "done\n")
        text = info(run.traces[0])
        self.assertRegex(text, r"box_put +bad pointers in its identity, 8 times or more: .*:5")

    def test_check(self):
        rules = self.rule_file("lib <exe>\nobj Way\n"
                           "on way_out out touch id=a0\non no_way in touch id=a0\n")
        result = lastref("hooks", "check", rules, program("hooks/unusual_ways"))
        self.assertEqual(result.status, 1, repr(result))
        self.assertRegex(result.stdout, r"ok +way_out +<exe>")
        self.assertRegex(result.stdout, r"missing +no_way +<exe>: there is no such function")

    def test_list_and_new(self):
        listed = lastref("hooks", "list")
        self.assertEqual(listed.status, 0, repr(listed))
        names = [line.split()[0] for line in listed.stdout.splitlines()]
        for name in ("ffmpeg", "glib", "gstreamer", "openssl", "dbus"):
            self.assertIn(name, names)
        tiny = os.path.join(os.path.dirname(program("hooks/planted")), "libtiny_refs.so")
        drafted = lastref("hooks", "new", tiny)
        self.assertEqual(drafted.status, 0, repr(drafted))
        self.assertIn("lib libtiny_refs.so\n\nobj box\non box_create out create  id=ret\n"
                      "on box_get in retain id=a0\non box_put in release id=a0\n", drafted.stdout)

    def test_every_pack_parses(self):
        for line in lastref("hooks", "list").stdout.splitlines():
            result = lastref("hooks", "check", line.split()[0], "/bin/true")
            self.assertEqual(result.stderr, "", line)

    def test_unpooled_says_which_switches(self):
        run = self.run_program(["/bin/sh", "-c", "echo $G_SLICE $PYTHONMALLOC"],
                               options=["--unpooled"])
        self.assertEqual(run.stdout, "always-malloc malloc\n")
        self.assertIn("unpooled: G_SLICE=always-malloc", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
