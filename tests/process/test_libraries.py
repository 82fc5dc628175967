"""Libraries that come and go, and how the loader finds them."""

import os
import unittest

from side_by_side import Balance, SideBySide, process
from lastref_testing import events


class Libraries(SideBySide):
    def test_another_library_at_the_same_address(self):
        run = self.side_by_side(process("library_reload"))
        self.assertIn("address reused", run.stdout)
        innermost = {3331: set(), 3332: set()}
        count = {3331: 0, 3332: 0}
        for event in events(run.traces[0], "--stacks"):
            if event["op"] == "malloc" and event["size"] in innermost:
                frame = event["stack"][0]
                innermost[event["size"]].add((frame["function"], os.path.basename(frame["module"])))
                count[event["size"]] += 1
        self.assertEqual(innermost[3331], {("alpha_allocate", "libplugin_alpha.so")})
        self.assertEqual(innermost[3332], {("beta_allocate", "libplugin_beta.so")})
        self.assertEqual(count, {3331: 100, 3332: 100})

    def test_more_loads_than_the_table_of_modules_has_places(self):
        run = self.side_by_side(process("library_reload"), "2000")
        named = {3331: 0, 3332: 0}
        for event in events(run.traces[0], "--stacks"):
            if event["op"] == "malloc" and event["size"] in named:
                name = "alpha_allocate" if event["size"] == 3331 else "beta_allocate"
                named[event["size"]] += event["stack"][0]["function"] == name
        self.assertEqual(named, {3331: 2000, 3332: 2000})

    def test_libraries_that_go_while_others_walk_their_stacks(self):
        run = self.side_by_side(process("reload_threads"))
        balance = Balance(run.traces[0])
        made = {3331: 0, 3332: 0}
        for event in events(run.traces[0], "--stacks"):
            if event["op"] == "malloc" and event["size"] in made:
                made[event["size"]] += 1
                library, function = os.path.basename(event["stack"][0]["module"]), event["stack"][0]["function"]
                name = "alpha" if event["size"] == 3331 else "beta"
                self.assertEqual((library, function), (f"libplugin_{name}.so", f"{name}_allocate"))
        self.assertEqual(sum(made.values()), 320)
        self.assertEqual((balance.of(3331), balance.of(3332)),
                         ((made[3331], made[3331]), (made[3332], made[3332])))

    def test_the_callers_own_search_path(self):
        run = self.side_by_side(process("origin_path"))
        self.assertIn("3 libraries found", run.stdout)
        self.assertEqual(Balance(run.traces[0]).of(3341), (1, 1))

    def test_a_second_namespace(self):
        run = self.side_by_side(process("separate_namespace"))
        self.assertEqual(Balance(run.traces[0]).of(3333), (3, 3))

    def test_a_program_with_gaps_between_its_segments(self):
        for name in ("segment_gaps", "segment_gaps_fixed"):
            with self.subTest(name):
                run = self.side_by_side(process(name))
                stacks = {tuple((frame["function"], os.path.basename(frame["module"]))
                                for frame in event["stack"][:3])
                          for event in events(run.traces[0], "--stacks") if event.get("size") == 4211}
                self.assertEqual(stacks, {(("inner", name), ("outer", name), ("main", name))})
                loaded = [event for event in events(run.traces[0])
                          if event["op"] == "load" and event["path"].endswith("/" + name)]
                self.assertEqual(len(loaded), 1, "one module")

    def test_plug_in_in_cxx_for_a_program_in_c(self):
        run = self.side_by_side(process("local_plugin"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(6401), (300, 300))
        self.assertEqual(balance.of(6528), (3, 3))  # 6,402, in whole alignments of 128

    def test_before_and_after_main(self):
        run = self.side_by_side(process("before_main"))
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(7601), (1, 1))
        self.assertEqual(balance.of(7602), (1, 1))


if __name__ == "__main__":
    unittest.main()
