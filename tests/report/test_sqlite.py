"""The SQLite output holds what events and the JSON report hold, queried by Python's sqlite3."""

import os
import sqlite3
import unittest

from lastref_testing import (LASTREF, LastrefTest, events, findings, lastref, plain, program,
                             report)

FRAME = ("function", "file", "line", "module", "build_id", "offset", "inlined")


class Sqlite(LastrefTest):
    def database(self, *traces):
        path = os.path.join(self.directory, "out.db")
        result = lastref("report", *traces, "--format", "sqlite", "-o", path)
        self.assertEqual((result.status, result.stderr), (0, ""))
        connection = sqlite3.connect(path)
        self.addCleanup(connection.close)
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        return connection

    def trace(self, name):
        return self.run_program(program("lifecycle/" + name)).traces[0]

    def stack(self, database, stack):
        if stack is None:
            return []
        columns = ", ".join(f'frames."{name}"' for name in FRAME)
        rows = database.execute(
            f"SELECT {columns} FROM stacks JOIN frames ON frames.id = frame WHERE stack = ? "
            "ORDER BY depth", (stack,))
        return [dict(zip(FRAME, row), inlined=bool(row[-1])) for row in rows]

    def test_events(self):
        """As `lastref events` has them, stacks and all."""
        trace = self.trace("moved_buffer")
        database = self.database(trace)
        rows = database.execute("SELECT op, time_ns, thread, address, size, stack, value, text "
                                "FROM events ORDER BY id").fetchall()
        reported = list(events(trace, "--stacks"))
        self.assertEqual(len(rows), len(reported))
        for row, event in zip(rows, reported):
            self.assertEqual(row[:2], (event["op"], event["time_ns"]))
            if event["op"] == "thread":
                continue  # whose line names the thread that it is about
            self.assertEqual(row[2], event["thread"])
            address = int(event["address"], 16) if "address" in event else None
            self.assertEqual(row[3:5], (address, event.get("size")))
            self.assertEqual(self.stack(database, row[5]), event.get("stack", []))
            if event["op"] == "exit":
                self.assertEqual(row[6:], (event["status"], "status"))
            else:
                reported = (event.get(name) for name in ("type", "hint", "path", "subject"))
                self.assertEqual(row[7], next(filter(None, reported), None))

    def test_the_life_of_a_leaked_buffer(self):
        for name in "release_always_missing", "over_release", "freed_while_referenced", "heap_leak":
            with self.subTest(name):
                trace = self.trace(name)
                database = self.database(trace)
                found = report(trace)["findings"]
                ids = [row[0] for row in database.execute("SELECT id FROM findings ORDER BY rank")]
                self.assertEqual(ids, [finding["id"] for finding in found])
                example = found[0]["example"]
                life = database.execute(
                    "SELECT op, time_ns, events.thread, events.count, events.stack, buffers.address "
                    "FROM findings JOIN events ON events.buffer = findings.example "
                    "JOIN buffers ON buffers.id = findings.example WHERE rank = 1 "
                    "ORDER BY events.id").fetchall()
                self.assertEqual(len(life), len(example["events"]))
                for row, event in zip(life, example["events"]):
                    self.assertEqual(row[:3], (event["op"], event["time_ns"], event["thread"]))
                    if row[3] is not None:  # of heap blocks nothing is counted
                        self.assertEqual(row[3], event["count"])
                    self.assertEqual(self.stack(database, row[4]), event["stack"])
                    self.assertEqual(row[5], int(example["buffer"], 16))

    def test_a_finding(self):
        trace = self.trace("release_always_missing")
        finding = findings(report(trace), "refcount-leak")[0]
        database = self.database(trace)
        row = database.execute(
            "SELECT count, bytes, cause, confidence, function, line, culprit_stack, created_stack "
            "FROM findings WHERE id = ?", (finding["id"],)).fetchone()
        culprit = finding["culprit"]
        self.assertEqual(row[:6], (finding["count"], finding["bytes"], culprit["cause"],
                                   culprit["confidence"], culprit["frame"]["function"],
                                   culprit["frame"]["line"]))
        self.assertEqual(self.stack(database, row[6]), culprit["stack"])
        self.assertEqual(self.stack(database, row[7]), finding["created"])

    def totals(self, database, process):
        """The summary of the JSON report, counted from the lives."""
        def one(query):
            return database.execute(query, (process,)).fetchone()
        where = "FROM buffers WHERE process = ? AND type "
        heap = one("SELECT count(*), count(ended_ns) " + where + "= 'heap'")
        live = one("SELECT coalesce(sum(size), 0) " + where + "= 'heap' AND ended_ns IS NULL")
        made = one("SELECT count(*), count(ended_ns) " + where + "NOT IN ('heap', 'mapping')")
        maps = one("SELECT count(*), coalesce(sum(size) FILTER (WHERE ended_ns IS NULL), 0) "
                   + where + "= 'mapping'")
        return heap + live + made + maps

    def reported_totals(self, summary):
        heap, mappings = summary["heap"], summary["mappings"]
        return (heap["allocations"], heap["frees"], heap["live_bytes"],
                summary["buffers"]["created"], summary["buffers"]["ended"],
                mappings["allocations"], mappings["live_bytes"])

    def test_lives_add_up(self):
        """A program that reallocates, maps and has thousands of blocks live at its end."""
        script = "import json; x = [bytearray(b'x' * n) for n in range(3000)]; x[7] += b'y' * 9999"
        trace = self.run_program(["/usr/bin/python3", "-c", script],
                                 env={"PYTHONMALLOC": "malloc"}).traces[0]
        database = self.database(trace)
        reported = report(trace)
        self.assertEqual(self.totals(database, 1), self.reported_totals(reported["summary"]))
        self.assertEqual(database.execute("SELECT count(*) FROM events").fetchone()[0],
                         reported["processes"][0]["events"])
        # Each life is begun by an event of its own, and each end is an event of its address.
        self.assertEqual(database.execute(
            "SELECT count(*) FROM buffers WHERE id NOT IN (SELECT buffer FROM events "
            "WHERE buffer IS NOT NULL)").fetchone(), (0,))
        self.assertEqual(database.execute(
            "SELECT count(*) FROM buffers JOIN events ON events.id = ended_event "
            "WHERE type = 'heap' AND (events.address <> buffers.address "
            "OR op NOT IN ('free', 'realloc-begin') OR time_ns <> ended_ns)").fetchone(), (0,))

    def test_lives_that_go_on(self):
        """Mappings in pieces, remapped, over each other; reallocs that fail; buffers that move."""
        for name in ("lifecycle/mapping_leak", "process/mappings", "process/realloc_edges",
                     "lifecycle/moved_buffer"):
            with self.subTest(name):
                trace = self.run_program(program(name)).traces[0]
                self.assertEqual(self.totals(self.database(trace), 1),
                                 self.reported_totals(report(trace)["summary"]))

    def test_several_traces(self):
        traces = [self.trace("heap_leak"), *self.run_program(program("lifecycle/forked_child")).traces,
                  self.trace("heap_leak")]
        self.assertGreaterEqual(len(traces), 3)
        database = self.database(*traces)
        reported = [report(trace) for trace in traces]
        rows = database.execute("SELECT id, pid, trace, events FROM processes ORDER BY id").fetchall()
        self.assertEqual(rows, [(at + 1, one["processes"][0]["pid"], trace,
                                 one["processes"][0]["events"])
                                for at, (trace, one) in enumerate(zip(traces, reported))])
        for at, one in enumerate(reported):
            self.assertEqual(self.totals(database, at + 1), self.reported_totals(one["summary"]))
            count = database.execute("SELECT count(*) FROM findings WHERE process = ?", (at + 1,))
            self.assertEqual(count.fetchone()[0], len(one["findings"]))
        # An event and its life are of one process; equal stacks of two runs are one.
        self.assertEqual(database.execute(
            "SELECT count(*) FROM events JOIN buffers ON buffers.id = buffer "
            "WHERE events.process <> buffers.process").fetchone(), (0,))
        created = [database.execute("SELECT created_stack FROM findings WHERE process = ? "
                                    "ORDER BY rank", (process,)).fetchall()
                   for process in (1, len(traces))]
        self.assertEqual(*created)

    def test_example_queries_run(self):
        database = self.database(self.trace("release_always_missing"))
        examples = database.execute("SELECT question, query FROM examples").fetchall()
        self.assertGreaterEqual(len(examples), 5)
        for question, query in examples:
            database.execute(query).fetchall()
        blame = database.execute(examples[0][1]).fetchone()
        self.assertIn("Ledger::keep(Buffer*)", blame)
        life = database.execute(examples[1][1]).fetchall()
        self.assertEqual([row[0] for row in life], ["create", "retain", "release"])

    def test_outputs_that_can_not_be(self):
        trace = self.trace("heap_leak")
        for where, why in ([], "-o FILE"), (["-o", "/nowhere/out.db"], "/nowhere/out.db"), \
                          (["-o", "/dev/null"], "-o FILE"):
            result = lastref("report", trace, "--format", "sqlite", *where)
            self.assertEqual(result.status, 2, result)
            self.assertIn(why, result.stderr)

    def test_a_full_disk_leaves_what_was_there(self):
        trace = self.trace("release_always_missing")
        path = os.path.join(self.directory, "out.db")
        with open(path, "w", encoding="ascii") as file:
            file.write("what was there")
        before = sorted(os.listdir(self.directory))
        # A limit on the size of files, which the shell counts in units of 512 or 1024 bytes.
        script = 'trap "" XFSZ; ulimit -f 20; exec "$@"'
        result = plain(["sh", "-c", script, "sh", LASTREF, "report", trace, "--format", "sqlite",
                        "-o", path])
        self.assertEqual(result.status, 2, result)
        self.assertIn("out.db: can't be written", result.stderr)
        self.assertEqual(sorted(os.listdir(self.directory)), before)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "what was there")
        self.database(trace)  # with room enough it takes the old one's place


if __name__ == "__main__":
    unittest.main(verbosity=2)
