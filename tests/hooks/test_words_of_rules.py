"""Every word that rules have: widths of counters, expressions, conditions, operations
(programs/hooks/kinds_values.cpp)."""

import collections
import unittest

from lastref_testing import LastrefTest, events, findings, info, program, report

VALUES, KEPT = 10, 3
OBJ = "lib libkinds_refs.so\nobj Value\n"
MADE = "on kinds_value_new out create id=ret\n"
COUNTED = MADE + "on kinds_value_ref in retain id=a0\non kinds_value_unref in release id=a0\n"
END = "on *[id+40] in destroy id=a0\n"


class WordsOfRules(LastrefTest):
    def values(self, rules, *options, **surroundings):
        run = self.run_program(
            [program("hooks/kinds"), "values", str(VALUES)],
            options=["--hooks", self.rule_file(rules), "--strict-hooks", *options], **surroundings)
        self.assert_exits(run)
        self.assertEqual(run.stdout, "done\n")
        return run

    def counts(self, rules, *ops):
        """How many of these operations the rules make."""
        seen = collections.Counter(e["op"] for e in events(self.values(rules).traces[0]))
        return tuple(seen[op] for op in ops)

    def touched(self, rule, obj=OBJ):
        """The addresses that `rule` names, and those of the values that are passed."""
        seen = [e for e in events(self.values(obj + MADE + rule + "\n").traces[0])
                if e["op"] in ("create", "touch")]
        of = collections.defaultdict(list)
        for event in seen:
            of[event["op"]].append(event["address"])
        return of["touch"], of["create"][:VALUES]

    def hooked(self, run):
        types = {t["type"]: t for t in report(run.traces)["summary"]["hooked"]}
        return types["Value"]


    def assert_kept_are_leaked(self, run):
        """And nothing else is reported. They are made at two places."""
        found = findings(report(run.traces), type="Value")
        self.assertEqual({f["kind"] for f in found}, {"refcount-leak"}, found)
        self.assertEqual(sum(f["count"] for f in found), KEPT)
        self.assertEqual({(f["final_count"]["min"], f["final_count"]["max"]) for f in found}, {(1, 1)})


class Counters(WordsOfRules):
    def test_widths(self):
        for counter in ("u8@38", "u16@36", "u32@32", "u64@16", "i32@28", "i64@8", "-i32@24",
                        "-i64@0"):
            with self.subTest(counter=counter):
                run = self.values(OBJ.replace("Value", "Value rc=" + counter) + COUNTED + END +
                                  "on kinds_value_replace inout swap id=[a0]\n")
                self.assertIn("its counter follows the operations", info(run.traces[0]))
                self.assertEqual((self.hooked(run)["unseen"], self.hooked(run)["counter_refused"]),
                                 (0, None))
                self.assert_kept_are_leaked(run)

    def test_a_counter_that_lies_elsewhere_is_not_believed(self):
        """As where a library is of another version than the rules: two at each reading."""
        run = self.values(OBJ.replace("Value", "Value rc=u8@39") + COUNTED + END +
                          "on kinds_value_replace inout swap id=[a0]\n")
        said = "it does not follow the operations; it is not read any more"
        self.assertIn("its counter is not believed: read 2: " + said, info(run.traces[0]))
        self.assertEqual(self.hooked(run)["counter_refused"], "read 2: " + said)
        self.assertEqual(self.hooked(run)["unseen"], 0)
        self.assert_kept_are_leaked(run)

    def test_samples_do_not_go_by_a_counter_that_lies_elsewhere(self):
        """At level simple it is the shim that finds out which buffers end."""
        for counter in ("u8@38", "u8@39"):
            with self.subTest(counter=counter):
                run = self.values(OBJ.replace("Value", "Value rc=" + counter) + COUNTED +
                                  "on kinds_value_replace inout swap id=[a0]\n", "--level", "simple",
                                  env={"LASTREF_SAMPLE_INTERVAL": "1"})
                seen = collections.Counter(e["op"] for e in events(run.traces[0]))
                self.assertEqual((seen["create"], seen["destroy"]), (3 * VALUES, 3 * VALUES - KEPT))

    def test_what_is_no_count_is_not_believed(self):
        run = self.values(OBJ.replace("Value", "Value rc=u64@48") + COUNTED + END +
                          "on kinds_value_replace inout swap id=[a0]\n")
        self.assertIn("that is no reference count", self.hooked(run)["counter_refused"])
        self.assert_kept_are_leaked(run)


class Expressions(WordsOfRules):
    def test_chains_that_lead_to_the_value(self):
        for expression in ("a0", "[a1]", "a3+16", "a3+0x20-16", "[a2+8]", "[[a2+16]+24]-64", "s0",
                           "[a0+48]", "[[a0+48]+48]", "[sym:kinds_value_at_work]"):
            with self.subTest(expression=expression):
                touched, made = self.touched("on kinds_value_pass in touch id=" + expression)
                self.assertEqual(touched, [address for address in made for _ in range(4)])

    def test_the_returned_value(self):
        touched, made = self.touched("on kinds_value_pass out touch id=ret stack=2")
        self.assertEqual(touched, [address for address in made for _ in range(4)])

    def test_narrow_words_and_numbers(self):
        for expression, value in (
                ("u8[a2]", 0x10), ("u16[a2]", 0x3210), ("u32[a2+4]", 0xfedcba98),
                ("i32[a2+4]", 0xfffffffffedcba98), ("[a2]", 0xfedcba9876543210),
                ("u64[a2]", 0xfedcba9876543210), ("0x1234", 0x1234), ("a4", 2**64 - 1),
                ("a5+10", 5)):
            with self.subTest(expression=expression):
                touched, _ = self.touched("on kinds_value_pass in touch id=" + expression)
                self.assertEqual({int(address, 16) for address in touched}, {value})

    def test_conditions(self):
        for condition, calls in (("s1 == 2", 1), ("s1 != 2", 3), ("s1 < 2", 2), ("s1 <= 2", 3),
                                 ("s1 > 2", 1), ("s1 >= 2", 2), ("s1 & 1", 2), ("s1 & 3", 3),
                                 ("s1 >= 1 and s1 <= 2", 2), ("a5 < -4", 4), ("a5 > 0", 0),
                                 ("u8[id+39] == 2", 4), ("id == 0", 0)):
            with self.subTest(condition=condition):
                touched, _ = self.touched(f"on kinds_value_pass in touch id=a0 if {condition}")
                self.assertEqual(len(touched), calls * VALUES)

    def test_conditions_of_a_type(self):
        for layout, times in ((2, 4), (3, 0)):
            with self.subTest(layout=layout):
                touched, _ = self.touched("on kinds_value_pass in touch id=a0",
                                          obj=OBJ.strip() + f" if u8[id+39] == {layout}\n")
                self.assertEqual(len(touched), times * VALUES)


class Operations(WordsOfRules):
    def test_a_create_in_a_create_is_one(self):
        for word, creates in (("create", 25), ("create?", 20)):
            with self.subTest(word=word):
                rules = OBJ + MADE + f"on kinds_value_copy out {word} id=ret\n"
                self.assertEqual(self.counts(rules, "create"), (creates,))

    def test_an_operation_in_the_same_one_is_one(self):
        drop = "on kinds_value_drop in release id=a0"
        for nest, releases in (("", 37), (" nest", 27)):
            with self.subTest(nest=nest):
                self.assertEqual(self.counts(OBJ + COUNTED + drop + nest + "\n", "release"),
                                 (releases,))

    def test_functions_known_by_pointers(self):
        ended = 2 * VALUES - KEPT
        for rule in (END, "on kinds_value_init in create id=a0\non *a1 in destroy id=a0\n"):
            with self.subTest(rule=rule):
                made = "" if "init" in rule else MADE
                self.assertEqual(self.counts(OBJ + made + rule, "create", "destroy"),
                                 (2 * VALUES, ended))

    def test_a_swap_lets_the_old_one_go_and_makes_the_new(self):
        """Its release is recorded when the memory of the old one has been freed."""
        rules = OBJ + COUNTED + END + "on kinds_value_replace inout swap id=[a0]\n"
        run = self.values(rules)
        ops = collections.Counter(e["op"] for e in events(run.traces[0]))
        self.assertEqual((ops["create"], ops["retain"], ops["release"], ops["destroy"]),
                         (3 * VALUES, VALUES, 4 * VALUES - KEPT, 2 * VALUES - KEPT))
        self.assert_kept_are_leaked(run)
        self.assertEqual((self.hooked(run)["unseen"], self.hooked(run)["partial"]), (0, None))

    def test_a_move_names_the_new_holder(self):
        """At the entry, or both, where the slot is empty at the return."""
        for rule in ("on kinds_value_steal inout move id=[a0]", "on kinds_value_steal in move id=[a0]",
                     "on kinds_value_steal out move id=ret"):
            with self.subTest(rule=rule):
                self.assertEqual(self.counts(OBJ + COUNTED + rule + "\n" +
                                             "on kinds_value_replace inout swap id=[a0]\n", "move"),
                                 (VALUES + KEPT,))

    def test_who_took_a_reference_over_is_in_the_history(self):
        run = self.values(OBJ + COUNTED + "on kinds_value_replace inout swap id=[a0]\n"
                          "on kinds_value_steal in move id=[a0]\n")
        self.assert_kept_are_leaked(run)
        for leak in findings(report(run.traces), type="Value"):
            last = leak["example"]["events"][-1]
            self.assertEqual((last["op"], last["count"]), ("move", 1))
            self.assertIn("keep(", last["stack"][0]["function"])

    def test_a_function_that_need_not_exist(self):
        for optional, partial in (("", True), (" optional", False)):
            with self.subTest(optional=optional):
                run = self.values(OBJ + COUNTED + "on kinds_value_lost in release id=a0" + optional +
                                  "\n")
                self.assertEqual(self.hooked(run)["partial"] is not None, partial)


if __name__ == "__main__":
    unittest.main(verbosity=2)
