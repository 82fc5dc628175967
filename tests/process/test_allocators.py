"""Programs that bring an allocator of their own, in whichever way: they run as without lastref, and
their heap is seen."""

import os
import re
import subprocess
import tempfile
import unittest

from lastref_testing import events, info, plain, report
from side_by_side import SHIM, Balance, SideBySide, needs, preloading, process

LIBRARIES = "/usr/lib/x86_64-linux-gnu/"
PRELOADED = {
    "jemalloc": LIBRARIES + "libjemalloc.so.2",
    "tcmalloc": LIBRARIES + "libtcmalloc_minimal.so.4",
    "mimalloc": LIBRARIES + "libmimalloc.so.2",
    "malloc_debug": LIBRARIES + "libc_malloc_debug.so.0",
}
ROUNDS = 2000  # of all_heap_calls: two threads

# What all_heap_calls begins and ends: see its first comment.
SIZES = (10001, 3 * 3337, 10021, 10037, 7 * 1433, 7 * 1439, 10051, 10176, 10069, 10079, 10091,
         10099, 10104)


class Allocators(SideBySide):
    def traced(self, argv, before="", behind="", level="paranoid", variables=None):
        """argv with libraries preloaded before and behind the shim; its trace's path."""
        directory = tempfile.mkdtemp(dir=self.directory)
        environment = preloading(directory, LEVEL=level)
        names = [name for name in (before, SHIM, behind) if name]
        environment["LD_PRELOAD"] = ":".join(names)
        environment.update(variables or {})
        run = plain(argv, env=environment)
        traces = [os.path.join(directory, name) for name in os.listdir(directory)]
        return run, traces

    def assert_all_seen(self, traces):
        self.assertEqual(len(traces), 1)
        balance = Balance(traces[0])
        for size in SIZES:
            self.assertEqual(balance.of(size), (ROUNDS, ROUNDS), f"size {size}")
        aligned = [sum(counts) for counts in zip(balance.of(10093), balance.of(10112))]
        self.assertEqual(aligned, [ROUNDS, ROUNDS])
        self.assertEqual(balance.of(10111), (3, 0))
        found = report(traces)
        self.assertEqual([process["warnings"] for process in found["processes"]], [[]])
        left = [(f["kind"], f["count"]) for f in found["findings"] if f["bytes"] == 3 * 10111]
        self.assertEqual(left, [("heap-leak", 3)])
        self.assertEqual({f["kind"] for f in found["findings"]} - {"heap-leak", "held"}, set())

    def check_all_heap_calls(self, argv, before="", behind=""):
        expected = plain(argv, env={"LD_PRELOAD": f"{before}:{behind}".strip(":")})
        self.assertEqual(expected.status, 0, repr(expected))
        for level in ("disabled", "simple", "advanced"):
            run, _ = self.traced(argv, before, behind, level)
            self.assert_same(expected, run)
        run, traces = self.traced(argv, before, behind)
        self.assert_same(expected, run)
        self.assert_all_seen(traces)

    def test_without_another_allocator(self):
        self.check_all_heap_calls([process("all_heap_calls")])

    def test_preloaded_before_and_behind(self):
        for name, path in PRELOADED.items():
            if not os.path.exists(path):
                self.assertNotEqual(os.environ.get("CI"), "true", f"{path} is missing")
                continue
            for before, behind in ((path, ""), ("", path)):
                with self.subTest(allocator=name, before=bool(before)):
                    self.check_all_heap_calls([process("all_heap_calls")], before, behind)

    def test_linked_statically(self):
        for name in ("jemalloc", "tcmalloc_minimal"):
            argv = [process("all_heap_calls_" + name)]
            if not os.path.exists(argv[0]):
                self.assertNotEqual(os.environ.get("CI"), "true", f"{argv[0]} is missing")
                continue
            with self.subTest(allocator=name):
                self.check_all_heap_calls(argv)
                shown = info(self.traced(argv)[1][0])
                self.assertRegex(shown, r"the program +allocator, seen by \d+ functions")

    def counted_by_jemalloc(self, argv, before="", behind=""):
        """((blocks begun, ended) by jemalloc's own statistics at the end, the same by the trace)."""
        directory = tempfile.mkdtemp(dir=self.directory)
        environment = preloading(directory)
        environment["LD_PRELOAD"] = ":".join(name for name in (before, SHIM, behind) if name)
        # Without a cache of each thread the statistics count every block.
        environment["MALLOC_CONF"] = "stats_print:true,stats_print_opts:gblxe,tcache:false"
        run = plain(argv, env=environment)
        total = re.search(r"^total:\s+\d+\s+(\d+)\s+\d+\s+(\d+)", run.stdout + run.stderr, re.M)
        self.assertTrue(total, repr(run))
        begun, ended, old = 0, 0, {}
        traces = [os.path.join(directory, name) for name in os.listdir(directory)]
        self.assertEqual(len(traces), 1)
        for event in events(traces[0]):
            if event["op"] in ("malloc", "calloc", "memalign"):
                begun += 1
            elif event["op"] == "free":
                ended += 1
            elif event["op"] == "realloc-begin":
                old[event["thread"]] = event["address"]
            elif event["op"] == "realloc":
                block = old.pop(event["thread"], None)
                begun += block != event["address"]  # in place it is the same block to jemalloc
                ended += block not in (None, event["address"])
        return (int(total.group(1)), int(total.group(2))), (begun, ended)

    @needs("git", "perl", "dig", "nghttp", "redis-benchmark")
    def test_blocks_are_those_that_the_allocator_counts(self):
        preload = PRELOADED["jemalloc"]
        runs = [
            # With jemalloc linked in, and with its own interface (BIND).
            ([process("all_heap_calls_jemalloc")], "", ""),
            (["dig", "-v"], "", ""),
            (["nghttp", "-v", "http://127.0.0.1:9/"], "", ""),
            (["redis-benchmark", "--help"], "", ""),
        ]
        for argv in (["git", "--version"], ["perl", "-e", "print 1"],
                     [process("all_heap_calls")]):
            runs += [(argv, preload, ""), (argv, "", preload)]
        for argv, before, behind in runs:
            with self.subTest(program=argv[0], before=bool(before), behind=bool(behind)):
                counted, seen = self.counted_by_jemalloc(argv, before, behind)
                # The statistics are written into a block of their own, which they may count.
                self.assertIn(counted, (seen, (seen[0] + 1, seen[1])))

    def test_one_that_asks_the_system_at_its_first_call(self):
        argv = [process("early_malloc")]
        expected = plain(argv)
        self.assertEqual((expected.status, expected.stdout), (0, "done\n"))
        for level in ("disabled", "simple", "paranoid"):
            run, traces = self.traced(argv, level=level)
            self.assert_same(expected, run)
        balance = Balance(traces[0])
        self.assertEqual(balance.of(5003), (100, 100))
        self.assertEqual(balance.of(400), (100, 100))
        self.assertEqual(balance.of(4004), (100, 100))
        self.assertEqual(balance.of(5009), (1, 0))
        # What it maps for its blocks is its own business.
        self.assertEqual(balance.ops["mmap"], 0)

    def test_one_that_wraps_another(self):
        for way in ("libc", "next"):
            argv = [process("wrapped_malloc"), way]
            expected = plain(argv)
            self.assertEqual((expected.status, expected.stdout), (0, "done\n"))
            for level in ("disabled", "simple", "paranoid"):
                run, traces = self.traced(argv, level=level)
                self.assert_same(expected, run)
            balance = Balance(traces[0])
            for size in (6007, 6011, 6029, 6036):
                self.assertEqual(balance.of(size), (100, 100), f"{way}, size {size}")
                self.assertEqual(balance.of(size + 64), (0, 0), f"{way}, size {size}")
            self.assertEqual(balance.of(6037), (1, 0))

    def test_plugin_that_binds_to_the_c_library(self):
        run = self.side_by_side(process("deep_binding"))
        self.assertEqual(run.stdout, "done\n")
        balance = Balance(run.traces[0])
        self.assertEqual(balance.of(7001), (1, 1))
        self.assertEqual(balance.of(7013), (2000, 2000))
        self.assertEqual(balance.of(7019), (1000, 1000))
        self.assertEqual(balance.of(7027), (2000, 2000))
        self.assertEqual(balance.of(7039), (2000, 2000))
        self.assertEqual(balance.of(7043), (1, 0))
        self.assertEqual(*balance.of(7057))
        self.assertEqual(balance.unknown_frees, 0)
        self.assertEqual({f["kind"] for f in run.report["findings"]} - {"heap-leak"}, set())

    def test_forked_child_has_the_note(self):
        # Under valgrind's preload, which the shim leaves alone.
        name = os.path.join(self.directory, "vgpreload_own.so")
        with open(name + ".c", "w", encoding="utf-8") as source:
            source.write("#include <stddef.h>\nstatic char arena[1 << 22]; static size_t used;\n"
                         "void* malloc(size_t n) { used += (n + 15) & ~15ul; "
                         "return arena + used - ((n + 15) & ~15ul); }\n"
                         "void free(void* p) { (void)p; }\n"
                         "void* calloc(size_t a, size_t b) { return malloc(a * b); }\n"
                         "void* realloc(void* p, size_t n) { char* q = malloc(n); if (p) "
                         "for (size_t i = 0; i < n; i++) q[i] = ((char*)p)[i]; return q; }\n")
        subprocess.run(["gcc", "-shared", "-fPIC", "-fno-builtin", "-o", name, name + ".c"],
                       check=True)
        run, traces = self.traced([process("fork_child")], before=name)
        self.assertEqual(run.status, 0, repr(run))
        self.assertGreaterEqual(len(traces), 2)
        for trace in traces:
            found = report([trace])
            self.assertFalse(found["processes"][0]["complete"])
            self.assertIn("own allocator is not seen", found["processes"][0]["warnings"][0])

    @needs("clang")
    def test_sanitizers_of_clang(self):
        source = os.path.join(self.directory, "sanitized.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <pthread.h>\n"
                       "static void* work(void* p) { for (int i = 0; i < 100; i++) "
                       "free(malloc(8009)); return p; }\n"
                       "int main(void) { pthread_t t; pthread_create(&t, 0, work, 0); work(0);\n"
                       "pthread_join(t, 0); puts(\"done\"); return 0; }\n")
        for sanitizer in ("thread", "address", "memory", "leak"):
            program = os.path.join(self.directory, sanitizer)
            subprocess.run(["clang", "-g", "-O1", "-fno-builtin", f"-fsanitize={sanitizer}",
                            "-o", program, source], check=True)
            # ThreadSanitizer's shadow leaves no room for addresses at random.
            argv = ["setarch", "-R", program]
            with self.subTest(sanitizer=sanitizer):
                expected = plain(argv)
                self.assertEqual((expected.status, expected.stdout), (0, "done\n"), repr(expected))
                for level in ("disabled", "simple", "paranoid"):
                    run, traces = self.traced(argv, level=level)
                    self.assert_same(expected, run)
                balances = [Balance(trace) for trace in traces]
                self.assertIn((200, 200), [balance.of(8009) for balance in balances])

    def test_the_checks_of_libc_malloc_debug_work(self):
        source = os.path.join(self.directory, "overrun.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stdlib.h>\n#include <string.h>\n"
                       "int main(int n, char** v) { char* p = malloc(16); memset(p, 1, 16 + n);\n"
                       "free(p); return v == 0; }\n")
        argv = [os.path.join(self.directory, "overrun")]
        subprocess.run(["gcc", "-O0", "-o", *argv, source], check=True)
        debug = PRELOADED["malloc_debug"]
        checks = {"MALLOC_CHECK_": "3"}
        self.assertEqual(plain(argv, env=checks).status, 0)
        expected = plain(argv, env={"LD_PRELOAD": debug, **checks})
        self.assertEqual(expected.status, 134, repr(expected))
        for before, behind in ((debug, ""), ("", debug)):
            for level in ("disabled", "simple", "paranoid"):
                run, _ = self.traced(argv, before, behind, level, checks)
                self.assert_same(expected, run)

    @needs("faketime")
    def test_a_preloaded_clock(self):
        argv = ["faketime", "2020-01-01 00:00:00", "date", "+%Y"]
        expected = plain(argv)
        self.assertEqual(expected.stdout, "2020\n")
        for level in ("disabled", "simple", "paranoid"):
            run, traces = self.traced(argv, level=level)
            self.assert_same(expected, run)
        for trace in traces:
            # The trace keeps true times.
            self.assertGreater(report([trace])["processes"][0]["started"], "2021")

    def test_the_shim_calls_nothing_that_a_program_may_define(self):
        shown = subprocess.run(["nm", "-D", "--undefined-only", SHIM], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        wanted = {line.split()[-1].split("@")[0] for line in shown.splitlines()}
        self.assertLessEqual(wanted, {
            "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize",
            "__gmon_start__", "__environ", "environ", "__errno_location", "__libc_stack_end",
            "_dl_find_object", "_r_debug", "getauxval"})


if __name__ == "__main__":
    unittest.main()
