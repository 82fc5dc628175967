"""Rule files, good and bad, and what `lastref hooks` and `lastref run` say of them."""

import os
import re
import unittest

from lastref_testing import LastrefTest, events, findings, info, lastref, program, report

PACKS = os.path.join(os.path.dirname(__file__), "..", "..", "shim", "lastref", "hooks")


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

    def test_a_missing_function_is_named_with_its_place(self):
        rules = self.rule_file("lib libtiny_refs.so\nobj Box\non box_create out create id=ret\n"
                               "on  box_steal in release id=a0\n")
        run = self.run_tiny(rules)
        self.assert_exits(run)
        self.assertEqual(run.stdout, "done\n")
        self.assertIn(f"{rules}:4:5: expected a function of libtiny_refs.so, found 'box_steal'",
                      run.stderr)
        self.assertEqual(self.ops(run), ["create"] * 10)

    def test_strict_hooks_want_every_function_of_what_is_linked(self):
        rules = self.rule_file("lib <exe>\nobj Way\non way_out in touch id=a0\n"
                               "on no_way in touch id=a0\non perhaps in touch id=a0 optional\n")
        command = [program("hooks/unusual_ways")]
        run = self.run_program(command, options=["--hooks", rules, "--strict-hooks"])
        self.assert_exits(run, 2)
        self.assertEqual((run.stdout, run.traces), ("", []))
        self.assertIn(f"{rules}:4:4: expected a function of <exe>, found 'no_way'", run.stderr)
        self.assertNotIn("perhaps", run.stderr)
        self.assert_exits(self.run_program(command, options=["--hooks", rules]))

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
        self.assertIn(f"{rules}:4:4: expected a function of <exe>, found 'no_way'", result.stderr)

    def test_a_function_that_cannot_be_patched_is_refused_by_name_and_reason(self):
        library = os.path.join(os.path.dirname(program("hooks/kinds")), "libkinds_refs.so")
        rules = self.rule_file("lib libkinds_refs.so\nobj Value\n"
                               "on kinds_value_new out create id=ret\n"
                               "on kinds_value_loop in release id=a0\n")
        reason = "the function jumps into its own first instructions"
        checked = lastref("hooks", "check", rules, library)
        self.assertEqual(checked.status, 1, repr(checked))
        self.assertRegex(checked.stdout, r"ok +kinds_value_new +libkinds_refs.so")
        self.assertRegex(checked.stdout, "refused +kinds_value_loop +libkinds_refs.so: " + reason)
        run = self.run_program([program("hooks/kinds"), "values", "10"],
                               options=["--hooks", rules])
        self.assert_exits(run)
        self.assertIn("kinds_value_loop         not hooked: " + reason, info(run.traces[0]))
        result = report(run.traces)
        self.assertEqual(result["summary"]["hooked"][0]["partial"], "kinds_value_loop: " + reason)
        self.assertEqual({f["kind"] for f in findings(result, type="Value")}, {"held"})

    def test_hooks_bring_no_library_into_the_program(self):
        rules = self.rule_file("lib <exe>\nobj Any\non main in touch id=a0\n")
        libraries = []
        for options in ([], ["--hooks", rules]):
            run = self.run_program(["/bin/cat", "/proc/self/maps"], options=options)
            self.assert_exits(run)
            libraries.append(sorted(set(re.findall(r"/\S*\.so[.0-9]*$", run.stdout, re.M))))
        self.assertTrue(any("liblastref" in path for path in libraries[0]), libraries)
        self.assertEqual(libraries[0], libraries[1])

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

    def test_drafts_of_all_usual_pairs(self):
        pairs = os.path.join(os.path.dirname(program("hooks/planted")), "libpair_names.so")
        drafted = lastref("hooks", "new", pairs)
        self.assertEqual(drafted.status, 0, repr(drafted))
        types = {block.split()[1]: block.split("\n")[1:-1]
                 for block in re.split(r"\n(?=obj )", drafted.stdout)[1:]}
        self.assertEqual(types["cell"], ["on cell_new out create  id=ret",
                                         "on cell_new_with_name out create? id=ret",
                                         "on cell_ref in retain id=a0",
                                         "on cell_unref in release id=a0"])
        self.assertEqual(set(types), {"cell", "node", "key", "page", "lock"})
        for type, retain, release in (("node", "retain", "release"), ("key", "up_ref", "free"),
                                      ("page", "get", "put"), ("lock", "acquire", "release")):
            self.assertEqual(types[type][-2:], [f"on {type}_{retain} in retain id=a0",
                                                f"on {type}_{release} in release id=a0"])
        # A draft is a rule file.
        checked = lastref("hooks", "check", self.rule_file(drafted.stdout), pairs)
        self.assertEqual((checked.stderr, checked.stdout.count("missing")), ("", 0), repr(checked))

    def test_every_pack_parses_and_is_of_known_versions(self):
        names = {line.split()[0] for line in lastref("hooks", "list").stdout.splitlines()}
        self.assertEqual(names, {"ffmpeg", "gstreamer", "glib", "openssl", "dbus", "libevent",
                                 "nghttp2", "grpc", "libxml2", "wayland"})
        for name in names:
            with self.subTest(pack=name):
                self.assertEqual(lastref("hooks", "check", name, "/bin/true").stderr, "")
                with open(os.path.join(PACKS, name + ".rules"), encoding="ascii") as file:
                    libraries = [line.split()[1] for line in file if line.startswith("lib ")]
                for soname in "|".join(libraries).split("|"):
                    self.assertRegex(soname, r"^lib[\w.-]+\.so\.\d+$")

    def test_unpooled_sets_and_names_the_switches(self):
        run = self.run_program(["/usr/bin/env"], options=["--unpooled"],
                               env={"JAVA_TOOL_OPTIONS": "-Xmx1g", "PYTHONMALLOC": "debug"})
        for switch in ("G_SLICE=always-malloc", "GLIBCXX_FORCE_NEW=1", "PYTHONMALLOC=malloc",
                       "JAVA_TOOL_OPTIONS=-Xmx1g -Dio.netty.allocator.type=unpooled"):
            self.assertIn(switch, run.stdout.splitlines())
            self.assertIn(switch.replace("-Xmx1g ", ""), run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
