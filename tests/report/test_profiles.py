"""Folded stacks and pprof profiles of a program whose memory is known, read back."""

import gzip
import os
import re
import subprocess
import unittest

from lastref_testing import LastrefTest, lastref, program, report
from protobuf_text import decode

HERE = os.path.dirname(os.path.abspath(__file__))
SUM = {"live": 2, "peak": 4, "allocated": 0}  # where a weight's count stands in a pprof sample


class Profiles(LastrefTest):
    def traces(self, times=1):
        return [self.run_program(program("lifecycle/heap_leak")).traces[0] for _ in range(times)]

    def export(self, traces, *options):
        path = os.path.join(self.directory, "out")
        result = lastref("export", *traces, "-o", path, *options)
        self.assertEqual((result.status, result.stderr), (0, ""))
        with open(path, "rb") as file:
            return file.read()

    def folded(self, traces, weight):
        """{[frame, ...]: bytes}"""
        lines = self.export(traces, "--format", "folded", "--weight", weight).decode().splitlines()
        self.assertEqual(lines, sorted(lines))
        stacks = {}
        for line in lines:
            stack, value = line.rsplit(" ", 1)
            stacks[tuple(stack.split(";"))] = int(value)
        return stacks

    def pprof(self, traces):
        data = gzip.decompress(self.export(traces, "--format", "pprof"))
        return decode(HERE + "/profile.proto", "perftools.profiles.Profile", data)

    def at(self, stacks, function):
        return sum(value for stack, value in stacks.items() if function in stack)

    def test_folded(self):
        traces = self.traces()
        live, made = self.folded(traces, "live"), self.folded(traces, "allocated")
        self.assertEqual(self.at(live, "Inventory::load()"), 10000)
        self.assertEqual(self.at(made, "Inventory::load()"), 50000)
        for stack in live:
            self.assertEqual(stack[0], "heap")
            self.assertLessEqual(live[stack], made[stack])
        peak = self.folded(traces, "peak")
        self.assertGreaterEqual(sum(peak.values()), sum(live.values()))
        self.assertLessEqual(sum(peak.values()), sum(made.values()))

    def test_pprof_says_what_folded_says(self):
        traces = self.traces()
        profile = self.pprof(traces)
        texts = profile["string_table"]
        self.assertEqual(texts[0], "")
        self.assertEqual([(texts[v["type"][0]], texts[v["unit"][0]]) for v in profile["sample_type"]],
                         [("alloc_objects", "count"), ("alloc_space", "bytes"),
                          ("inuse_objects", "count"), ("inuse_space", "bytes"),
                          ("peak_objects", "count"), ("peak_space", "bytes")])
        self.assertEqual(texts[profile["default_sample_type"][0]], "inuse_space")
        functions = {f["id"][0]: texts[f["name"][0]] for f in profile["function"]}
        locations = {l["id"][0]: l for l in profile["location"]}
        mappings = {m["id"][0]: m for m in profile["mapping"]}
        for weight, at in SUM.items():
            stacks = self.folded(traces, weight)
            load = 0
            for sample in profile["sample"]:
                names = [functions[line["function_id"][0]] for id in sample["location_id"]
                         for line in locations[id].get("line", [])]
                if "Inventory::load()" in names:
                    load += sample["value"][at + 1]
            self.assertEqual(load, self.at(stacks, "Inventory::load()"))
            self.assertEqual(sum(s["value"][at + 1] for s in profile["sample"]),
                             sum(stacks.values()))
        for location in locations.values():
            mapping = mappings[location["mapping_id"][0]]
            self.assertLessEqual(mapping["memory_start"][0], location["address"][0])
            self.assertLess(location["address"][0], mapping["memory_limit"][0])
        named = {os.path.basename(texts[m["filename"][0]]): texts[m["build_id"][0]]
                 for m in mappings.values()}
        self.assertRegex(named["heap_leak"], "^[0-9a-f]{16,}$")

    def test_several_traces_are_one_profile(self):
        """Loaded at other addresses, the same places of the same modules are the same."""
        traces = self.traces(2)
        one, both = self.folded(traces[:1], "live"), self.folded(traces, "live")
        self.assertEqual(self.at(both, "Inventory::load()"), 2 * self.at(one, "Inventory::load()"))
        self.assertEqual(len(self.pprof(traces)["sample"]), len(self.pprof(traces[:1])["sample"]))

    def test_heaptrack_reads_its_own_format(self):
        trace = self.traces()[0]
        self.export([trace], "--format", "heaptrack")
        path = os.path.join(self.directory, "heaptrack.out")
        os.rename(os.path.join(self.directory, "out"), path)
        shown = subprocess.run(["heaptrack_print", "-f", path, "-l", "1"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        heap = report(trace)["summary"]["heap"]
        self.assertIn(f"calls to allocation functions: {heap['allocations']} ", shown)
        leaked = re.search(r"total memory leaked: ([\d.]+)(\w+)", shown)
        scale = {"B": 1, "K": 1000, "M": 1e6}[leaked.group(2)]
        self.assertAlmostEqual(float(leaked.group(1)) * scale, heap["live_bytes"],
                               delta=0.01 * scale)
        self.assertIn("Inventory::load()", shown)
        self.assertIn("heap_leak.cpp", shown)

    def test_a_file_of_one_process_takes_one_trace(self):
        result = lastref("export", *self.traces(2), "--format", "heaptrack")
        self.assertEqual(result.status, 2)
        self.assertIn("one trace at a time", result.stderr)

    def test_the_same_trace_gives_the_same_bytes(self):
        traces = self.traces()
        for form in ("folded", "pprof"):
            self.assertEqual(self.export(traces, "--format", form),
                             self.export(traces, "--format", form))

    def test_an_unwritable_output_is_named(self):
        result = lastref("export", self.traces()[0], "--format", "pprof", "-o", "/nowhere/profile")
        self.assertEqual(result.status, 2)
        self.assertIn("/nowhere/profile: can't be written", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
