"""Perfetto traces, decoded by protoc: slices pair, counters are the JSON report's gauges."""

import os
import unittest

from lastref_testing import LastrefTest, events, lastref, program, report
from protobuf_text import decode

HERE = os.path.dirname(os.path.abspath(__file__))
MOST = 5000  # slices of one type


class Track:
    def __init__(self, descriptor):
        self.name = descriptor.get("name", [""])[0]
        self.parent = descriptor.get("parent_uuid", [None])[0]
        self.process = descriptor.get("process", [None])[0]
        self.unit = descriptor.get("counter", [{}])[0].get("unit", [None])[0]
        self.events = []  # (time, event)


class Perfetto(LastrefTest):
    def perfetto(self, *traces):
        """{uuid: Track}, and the text on stderr. Checks what holds for each such file."""
        path = os.path.join(self.directory, "out.pftrace")
        result = lastref("report", *traces, "--format", "perfetto", "-o", path)
        self.assertEqual(result.status, 0, result)
        with open(path, "rb") as file:
            packets = decode(HERE + "/perfetto.proto", "perfetto.protos.Trace", file.read())["packet"]
        tracks = {}
        for packet in packets:
            if "track_descriptor" in packet:
                track = packet["track_descriptor"][0]
                self.assertNotIn(track["uuid"][0], tracks)
                tracks[track["uuid"][0]] = Track(track)
            else:
                event = packet["track_event"][0]
                tracks[event["track_uuid"][0]].events.append((packet["timestamp"][0], event))
        for track in tracks.values():
            times = [time for time, event in track.events]
            self.assertEqual(times, sorted(times))
            kinds = [event["type"][0] for time, event in track.events]
            if track.process:
                self.assertIsNone(track.parent)
                continue
            self.assertIsNotNone(tracks[track.parent].process)
            if track.unit:
                self.assertEqual(set(kinds), {"TYPE_COUNTER"})
            else:  # one slice after the other
                self.assertEqual(kinds, ["TYPE_SLICE_BEGIN", "TYPE_SLICE_END"] * (len(kinds) // 2))
        return tracks, result.stderr

    def slices(self, tracks, type, parent=None):
        """[(begin, end, {annotation: value})] of a type."""
        found = []
        for track in tracks.values():
            if track.unit or not track.name.startswith(type + ": "):
                continue
            if parent is not None and track.parent != parent:
                continue
            for (begin, event), (end, _) in zip(track.events[::2], track.events[1::2]):
                values = {}
                for one in event["debug_annotations"]:
                    name = one.pop("name")[0]
                    values[name] = next(iter(one.values()))[0]
                found.append((begin, end, values))
        return found

    def counter(self, tracks, name, parent=None):
        values = [[event["counter_value"][0] for time, event in track.events]
                  for track in tracks.values()
                  if track.name == name and parent in (None, track.parent)]
        self.assertEqual(len(values), 1)
        return values[0]

    def check_gauges(self, tracks, summary, parent=None):
        for type in "heap", "mapping":
            reported = summary["heap" if type == "heap" else "mappings"]
            if reported["allocations"] == 0:
                continue
            values = self.counter(tracks, type + " bytes", parent)
            self.assertEqual((max(values), values[-1]), (reported["peak_bytes"], reported["live_bytes"]))
            self.assertEqual(self.counter(tracks, type + " live", parent)[-1], reported["live"])

    def test_buffers(self):
        trace = self.run_program(program("lifecycle/release_always_missing")).traces[0]
        reported = report(trace)
        tracks, said = self.perfetto(trace)
        self.assertEqual(said, "")
        slices = self.slices(tracks, "Order")
        self.assertEqual(len(slices), reported["summary"]["buffers"]["created"])
        finding = reported["findings"][0]
        created = finding["example"]["events"][0]
        begin = min(begin for begin, end, values in slices)
        for _, _, values in slices:
            self.assertEqual((values["ended"], values["count"]), (False, 1))
            self.assertEqual(values["size"] * finding["count"], finding["bytes"])
            self.assertIn("Buffer::create(char const*) (buffer.h:", values["created"])
            self.assertIn("Shop::receive(", values["created"])
        addresses = {values["address"]: start for start, _, values in slices}
        at = addresses[int(finding["example"]["buffer"], 16)]
        self.assertLessEqual(at - begin, created["time_ns"])
        self.assertEqual(self.counter(tracks, "Order live")[-1], finding["count"])
        self.assertEqual(self.counter(tracks, "Order bytes")[-1], finding["bytes"])
        self.check_gauges(tracks, reported["summary"])

    def python(self, script):
        return self.run_program(["/usr/bin/python3", "-c", script],
                                env={"PYTHONMALLOC": "malloc"}).traces[0]

    def test_a_large_trace_says_what_is_left_out(self):
        trace = self.python("import mmap; m = mmap.mmap(-1, 1 << 20); "
                            "x = [bytearray(n) for n in range(3000)]; del x; m.close()")
        reported = report(trace)
        heap = reported["summary"]["heap"]
        self.assertGreater(heap["allocations"], 2 * MOST)
        tracks, said = self.perfetto(trace)
        part = f"{MOST} of {heap['allocations']} lives"
        self.assertIn(f"{trace}: {part} of type heap", said)
        self.assertEqual({track.name for track in tracks.values()
                          if track.name.startswith("heap: ")}, {f"heap: {part}"})
        slices = self.slices(tracks, "heap")
        self.assertEqual(len(slices), MOST)
        live = sum(not values["ended"] for _, _, values in slices)
        self.assertEqual(live, min(MOST, heap["live"]))
        self.check_gauges(tracks, reported["summary"])

    def test_the_longest_lives_are_kept(self):
        trace = self.python("x = [bytearray(100) for n in range(6000)]; del x\n"
                            "for n in range(9000): bytearray(77000)")
        begun, lengths = {}, []
        for event in events(trace):
            if event["op"] in ("free", "realloc-begin") and event["address"] in begun:
                lengths.append(event["time_ns"] - begun.pop(event["address"]))
            elif event["op"] in ("malloc", "calloc", "memalign", "realloc"):
                begun[event["address"]] = event["time_ns"]
        slices = self.slices(self.perfetto(trace)[0], "heap")
        kept = sorted((end - begin for begin, end, values in slices if values["ended"]),
                      reverse=True)
        self.assertEqual(len(slices), MOST)
        self.assertGreater(len(kept), 100)
        self.assertGreater(len(lengths), len(kept))
        # Times are rounded to nanoseconds here and there.
        for length, longest in zip(kept, sorted(lengths, reverse=True)):
            self.assertAlmostEqual(length, longest, delta=2)

    def test_several_traces(self):
        traces = [self.run_program(program("lifecycle/" + name)).traces[0]
                  for name in ("heap_leak", "release_always_missing", "heap_leak")]
        tracks, _ = self.perfetto(*traces)
        processes = {uuid: track.process["pid"][0] for uuid, track in tracks.items()
                     if track.process}
        reported = [report(trace) for trace in traces]
        self.assertEqual(list(processes.values()), [one["processes"][0]["pid"] for one in reported])
        for uuid, one in zip(processes, reported):
            self.check_gauges(tracks, one["summary"], uuid)
            self.assertEqual(len(self.slices(tracks, "heap", uuid)),
                             one["summary"]["heap"]["allocations"])

    def test_an_unwritable_output_is_named(self):
        trace = self.run_program(program("lifecycle/heap_leak")).traces[0]
        for path in "/nowhere/out", "/dev/full":
            result = lastref("export", trace, "--format", "perfetto", "-o", path)
            self.assertEqual(result.status, 2)
            self.assertIn(path + ": can't be written", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
