"""Packs of libraries that no other test exercises: balanced traffic has no finding, a planted fault is the
one that is found."""

import shutil
import unittest

from lastref_testing import LastrefTest, findings, plain, program, report


class Packs(LastrefTest):
    def traffic(self, library, *faulty, in_part=()):
        run = self.run_program([program("hooks/packs"), library, *faulty],
                               options=["--hooks", library])
        if run.status == 77:
            self.skipTest(run.stderr)
        self.assert_exits(run)
        self.assertEqual(run.stdout, "done\n")
        result = report(run.traces)
        self.assert_complete(result)
        hooked = {t["type"]: t for t in result["summary"]["hooked"]}
        for name, type in hooked.items():
            self.assertEqual(type["partial"] is not None, name in in_part, type)
            self.assertIsNone(type["counter_refused"])
            self.assertGreaterEqual(type["seen"], 20)
        return hooked, [f for f in findings(result) if f["type"] in hooked]

    def check(self, library, type, culprit):
        """All of `type` is seen; the fault is reported with its type, count and last holder."""
        hooked, found = self.traffic(library)
        self.assertEqual(hooked[type]["unseen"], 0)
        self.assertEqual(found, [])
        hooked, found = self.traffic(library, "faulty")
        self.assertEqual(hooked[type]["unseen"], 0)
        leaks = [f for f in found
                 if f["culprit"] and culprit in [frame["function"] for frame in f["culprit"]["stack"]]]
        self.assertEqual([(f["kind"], f["type"], f["count"], f["final_count"]) for f in leaks],
                         [("refcount-leak", type, 3, {"min": 1, "max": 1})], found)
        self.assertIn(culprit, [frame["function"] for event in leaks[0]["example"]["events"]
                                for frame in event["stack"]])
        return [f for f in found if f not in leaks]

    def test_libevent(self):
        others = self.check("libevent", "evbuffer", "hold_evbuffer")
        # Their holder is not freed either, but a variable points to it.
        self.assertEqual([(f["kind"], f["type"], f["count"]) for f in others],
                         [("held", "evbuffer", 1)])
        self.assertIn("run_libevent", [frame["function"] for frame in others[0]["created"]])

    def test_nghttp2(self):
        self.assertEqual(self.check("nghttp2", "nghttp2_rcbuf", "hold_name"), [])

    def test_libxml2(self):
        self.assertEqual(self.check("libxml2", "xmlDict", "hold_dictionary"), [])

    @unittest.skipUnless(shutil.which("xmllint"), "needs xmllint")
    def test_xmllint(self):
        path = self.rule_file("<a>" + "<b c='d'>text</b>" * 100 + "</a>")
        expected = plain(["xmllint", "--repeat", path])
        run = self.run_program(["xmllint", "--repeat", path], options=["--hooks", "libxml2"])
        self.assertEqual((run.status, run.stdout), (0, expected.stdout))
        result = report(run.traces)
        hooked = {t["type"]: t for t in result["summary"]["hooked"]}
        for type in ("xmlDict", "xmlDoc"):
            self.assertGreaterEqual(hooked[type]["seen"], 100)
            self.assertEqual((hooked[type]["unseen"], findings(result, type=type)), (0, []))

    def test_grpc(self):
        self.assertEqual(self.check("grpc", "grpc_slice", "hold_slice"), [])

    def test_wayland(self):
        """A pool's creation and first reference are not seen, and inlined code steps its counter: what is
        left is 'held'."""
        hooked, found = self.traffic("wayland", in_part=("wl_shm_pool",))
        self.assertEqual(set(hooked), {"wl_shm_pool", "wl_resource", "wl_proxy"})
        self.assertEqual(hooked["wl_proxy"]["unseen"], 0)
        self.assertEqual(found, [])
        hooked, found = self.traffic("wayland", "faulty")
        self.assertEqual(sorted((f["kind"], f["type"], f["count"]) for f in found),
                         [("held", "wl_shm_pool", 3), ("refcount-leak", "wl_proxy", 3)])
        for finding in found:
            self.assertIn("use_pool", [frame["function"] for frame in finding["created"]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
