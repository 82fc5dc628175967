"""The blame benchmark: programs with known faults, in variations, and how often the report is right.

`measure()` runs variations and gives one Outcome each; `table()` says how they compare with the
truth that the programs' sources hold as comments (see scene.h).
"""

import collections
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ("retains", "releases", "structures", "decoys", "heap")
DEVELOPMENT_SHAPES, HELD_OUT_SHAPES = (0, 1, 2), (3, 4, 5)
RATES = ("2", "20", "500", "once", "1")
MISUSE = {"over-release", "use-after-release", "freed-while-referenced"}
# In these a scenario can't vary: it always has the same faults, or none.
FIXED_RATE = {"dropped_queue": "once", "growing": "1", "growing_unused": "1", "late_leak": "0"}
GROWING = {"growing", "growing_unused"}
HEAP_DECOYS = {"heap_cache", "heap_names", "heap_words", "heap_table"}
HEAP_MADE = "Block::make"  # by which every program of plain heap blocks makes them
NOT_ALWAYS = {"consumed", "over_release", "use_after", "freed_early"}
# Counts are not what these are about, or their buffers count for themselves.
NOT_HIDDEN = {"consumed", "over_release", "use_after", "freed_early", "dropped_queue"} | GROWING


class Truth:
    """The sources' truth about a scenario: {(cause, function): {lines}}, and who holds always."""

    def __init__(self):
        self.faults = collections.defaultdict(set)
        self.holders = set()

    def causes(self):
        return {cause for cause, _ in self.faults}

    def functions(self, always):
        named = {function for _, function in self.faults}
        return (self.holders or named) if always else named


def truths():
    """({scenario: Truth}, {scenario: program}) from the comments of the sources."""
    found, programs = collections.defaultdict(Truth), {}
    for source in SOURCES + ("scene",):
        with open(os.path.join(HERE, source + ".cpp"), encoding="utf-8") as file:
            text = file.read()
        for number, line in enumerate(text.splitlines(), 1):
            if match := re.search(r"// truth: (\S+) (\S+) (\S+)$", line):
                scenario, cause, function = match.groups()
                found[scenario].faults[cause, function].add((source + ".cpp", number))
            if match := re.search(r"// always: (\S+) (\S+)$", line):
                found[match.group(1)].holders.add(match.group(2))
        for scenario in re.findall(r'\{"(\w+)", \w+::begin', text):
            programs[scenario] = source
    return found, programs


class Variation:
    def __init__(self, scenario, program, kind, **options):
        self.scenario, self.program, self.kind = scenario, program, kind
        self.options = {"items": 600, "rate": "20", "threads": "one", "depth": 5, "second": 0,
                        "hidden": 0, "counted": 0, "shape": 0, "seed": 1, **options}
        if self.options["rate"] == "500":
            self.options["items"] = 3000

    @property
    def always(self):
        """Every buffer goes wrong: the holder is all that can be named, in any stratum."""
        return self.options["rate"] == "1" and self.scenario not in GROWING

    @property
    def decoy(self):
        return self.program == "decoys" or self.scenario in HEAP_DECOYS

    @property
    def plain(self):
        """About heap blocks, not refcounted buffers."""
        return self.program == "heap"

    def stratum(self):
        if self.decoy:
            return "decoys"
        if self.plain:
            return "heap"
        if self.options["hidden"]:
            return "hidden"
        return "always" if self.always else "intermittent"

    def argv(self, programs):
        argv = [os.path.join(programs, f"{self.program}_{self.kind}"), "--scenario", self.scenario]
        for name, value in self.options.items():
            argv += ["--" + name, str(value)]
        return argv

    def __str__(self):
        given = " ".join(f"--{n} {v}" for n, v in self.options.items())
        return f"{self.program}_{self.kind} --scenario {self.scenario} {given}"


def variations(per_scenario, shapes, seed):
    """Pseudo-random ones, the same for the same arguments; each rate comes equally often."""
    known, programs = truths()
    draw = random.Random(seed)
    made = []
    for scenario, program in programs.items():
        for number in range(per_scenario):
            decoy = program == "decoys"
            plain = program == "heap"
            rate = FIXED_RATE.get(scenario, RATES[number % len(RATES)])
            # Where no block is freed, nothing shows who should have freed them.
            if rate == "1" and (scenario in NOT_ALWAYS or plain):
                rate = "2"
            hides = scenario not in NOT_HIDDEN and not decoy and not plain
            hidden = 15 if hides and number % 6 == 5 else 0
            made.append(Variation(
                scenario, program, draw.choice(("calls", "inlined")), rate=rate,
                threads=draw.choice(("one", "two", "queue")), depth=draw.choice((5, 15, 40)),
                second=draw.choice((0, 0, 1)) if not decoy else 0, hidden=hidden,
                counted=draw.choice((0, 1)) if hidden else 0, shape=draw.choice(shapes),
                seed=draw.randrange(1, 1000)))
    return made


def ends_with(function, expected):
    name = (function or "").replace("(anonymous namespace)::", "").split("(")[0]
    return name == expected or name.endswith("::" + expected)


class Outcome:
    """One variation's report against the truth."""

    def __init__(self, variation, report, truth, second):
        self.variation = variation
        self.accusations = []  # (confidence, right function, kind of verdict) of each culprit
        self.false = 0
        always = variation.always
        self.functions = truth.functions(always) if truth else set()
        self.causes = truth.causes() if truth else set()
        self.lines = set().union(*truth.faults.values()) if truth else set()
        self.has_line = not (always and truth and truth.holders)
        judged = [f for f in report["findings"] if f["type"] != "mapping"
                  and (f["type"] == "heap") == variation.plain]
        if variation.plain:
            # Others are reported without a culprit: what the C++ library keeps, and the scenes.
            judged = [f for f in judged if f["culprit"] or any(
                ends_with(frame["function"], HEAP_MADE) for frame in f["created"])]
        self.findings = [f for f in judged if f["type"] != "Ticket" and f["kind"] != "held"]
        self.held = [f for f in judged if f["type"] != "Ticket" and f["kind"] == "held"]
        for finding in self.findings + self.held:
            if finding["culprit"]:
                right = self.is_right(finding["culprit"])
                self.accusations.append((finding["culprit"]["confidence"], right,
                                         self.verdict_kind(finding)))
                self.false += not right
        self.second = None
        if second and not variation.plain:
            tickets = [f for f in judged if f["type"] == "Ticket" and f["kind"] != "held"]
            functions = second.functions(False)
            self.second = bool(tickets) and all(
                f["culprit"] and any(ends_with(f["culprit"]["frame"]["function"], x)
                                     for x in functions) for f in tickets)
        # A reader looks at the finding with most buffers.
        self.main = max(self.findings, key=lambda f: f["count"], default=None)

    @staticmethod
    def verdict_kind(finding):
        if finding["kind"] in MISUSE:
            return finding["kind"]
        return finding["culprit"]["cause"] + (
            ", ambiguous" if finding["culprit"]["ambiguous"] else "")

    def is_right(self, suspect):
        return any(ends_with(suspect["frame"]["function"], f) for f in self.functions)

    def suspects(self, most):
        if not self.main:
            return []
        return self.main["suspects"][:most] or ([self.main["culprit"]] if self.main["culprit"]
                                                else [])

    @property
    def unknown(self):
        return not any(f["culprit"] for f in self.findings)

    @property
    def top1(self):
        return bool(self.main and self.main["culprit"] and self.is_right(self.main["culprit"]))

    @property
    def top3(self):
        return any(self.is_right(s) for s in self.suspects(3))

    @property
    def line1(self):
        if not (self.main and self.main["culprit"]):
            return False
        frame = self.main["culprit"]["frame"]
        return (os.path.basename(frame["file"]), frame["line"]) in self.lines

    @property
    def line3(self):
        return any((os.path.basename(s["frame"]["file"]), s["frame"]["line"]) in self.lines
                   for s in self.suspects(3))

    def _cause(self, suspect):
        kind = self.main["kind"]
        cause = kind if kind in MISUSE else suspect["cause"]
        # A fault that always happens leaves the same trace, whichever the cause (ambiguous).
        if self.variation.always:
            return cause in self.causes | {"never-released", "extra-retain", "missing-release"}
        if "never-released" in self.causes:
            return cause in ("never-released", "extra-retain")
        return cause in self.causes

    @property
    def cause1(self):
        return bool(self.main and self.main["culprit"] and self._cause(self.main["culprit"]))

    @property
    def cause3(self):
        return any(self._cause(s) for s in self.suspects(3))

    @property
    def flagged(self):
        return bool(self.main and (not self.main["culprit"] or self.main["culprit"]["ambiguous"]))

    @property
    def wanted(self):
        """The answer that the stratum asks for."""
        stratum = self.variation.stratum()
        if stratum == "decoys":
            return not self.accusations
        if stratum in ("hidden", "heap"):
            return not self.false
        return self.top1

    def describe(self):
        lines = [f"{self.variation}"]
        for finding in (self.findings + self.held)[:4]:
            culprit = finding["culprit"]
            said = "no culprit" if not culprit else (
                f"{culprit['cause']} {culprit['frame']['function']}:{culprit['frame']['line']} "
                f"{culprit['confidence']:.2f}{' ambiguous' if culprit['ambiguous'] else ''}")
            lines.append(f"    {finding['kind']} {finding['type']} x{finding['count']}: {said}; "
                         f"{finding['reason'][:90]}")
            for suspect in finding["suspects"][bool(culprit):4]:
                lines.append(f"        {suspect['cause']} {suspect['frame']['function']}:"
                             f"{suspect['frame']['line']} {suspect['confidence']:.2f} "
                             f"{suspect['explanation'][:150]}")
        return "\n".join(lines)


def run_one(variation, programs, lastref, level="paranoid", settings=None):
    directory = tempfile.mkdtemp(prefix="lastref-blame-")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LASTREF_")
                   or k == "LASTREF_SHIM"}
    environment.update(settings or {})
    try:
        trace = os.path.join(directory, "trace")
        ran = subprocess.run([lastref, "run", "--level", level, "-o", trace, "--",
                              *variation.argv(programs)], env=environment, capture_output=True,
                             text=True)
        expected = 137 if variation.scenario == "in_flight" else 0
        if ran.returncode != expected:
            raise AssertionError(f"{variation}: status {ran.returncode}: {ran.stderr}")
        result = subprocess.run([lastref, "report", trace, "--format", "json"], env=environment,
                                capture_output=True, text=True)
        if result.returncode != 0:
            raise AssertionError(f"{variation}: report: {result.stderr}")
        return json.loads(result.stdout)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def measure(chosen, programs, lastref, workers=2):
    known, _ = truths()

    def outcome(variation):
        report = run_one(variation, programs, lastref)
        second = known["second"] if variation.options["second"] else None
        truth = known[variation.scenario] if variation.scenario in known else None
        return Outcome(variation, report, truth, second)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(outcome, chosen))


def share(outcomes, what):
    outcomes = list(outcomes)
    if not outcomes:
        return None
    return sum(bool(getattr(o, what)) for o in outcomes) / len(outcomes)


def _percent(value):
    return "    -" if value is None else f"{100 * value:5.1f}"


def table(outcomes):
    """The benchmark's result as text."""
    strata = collections.defaultdict(list)
    for outcome in outcomes:
        strata[outcome.variation.stratum()].append(outcome)
    lines = ["                 runs  cause 1/3     function 1/3   line 1/3       flagged  right or unknown"]
    for name in ("intermittent", "always", "hidden", "heap"):
        some = strata[name]
        if not some:
            continue
        lined = [o for o in some if o.has_line]
        lines.append("  ".join([
            f"  {name:<13} {len(some):5d}",
            _percent(share(some, "cause1")) + " " + _percent(share(some, "cause3")) + " ",
            _percent(share(some, "top1")) + " " + _percent(share(some, "top3")) + "  ",
            _percent(share(lined, "line1")) + " " + _percent(share(lined, "line3")) + "  ",
            _percent(share(some, "flagged")) if name == "always" else "    -",
            "  " + _percent(sum(not o.false for o in some) / len(some)),
        ]))
    decoys = strata["decoys"]
    lines.append(f"  decoys        {len(decoys):5d}  false accusations: "
                 f"{sum(bool(o.accusations) for o in decoys)}; reported as leaks without a culprit: "
                 f"{sum(bool(o.findings) for o in decoys)}")
    seconds = [o for o in outcomes if o.second is not None]
    if seconds:
        lines.append(f"  second fault  {len(seconds):5d}  function and all its findings right: "
                     f"{_percent(share(seconds, 'second')).strip()} %")
    lines.append("  calibration, all verdicts: confidence given, how many, right (function)")
    verdicts = [a for o in outcomes for a in o.accusations]
    for low, high in ((0, .4), (.4, .6), (.6, .75), (.75, .85), (.85, .95), (.95, 1.01)):
        some = [right for confidence, right, _ in verdicts if low <= confidence < high]
        if some:
            lines.append(f"    {low:.2f} to {min(high, 1):.2f}  {len(some):6d}  "
                         f"{100 * sum(some) / len(some):5.1f} %")
    lines.append("  by kind of verdict: how many, right (function), mean confidence given")
    for kind in sorted({kind for _, _, kind in verdicts}):
        some = [(confidence, right) for confidence, right, other in verdicts if other == kind]
        lines.append(f"    {kind:<28} {len(some):6d}  "
                     f"{100 * sum(right for _, right in some) / len(some):5.1f} %  "
                     f"{sum(confidence for confidence, _ in some) / len(some):.2f}")
    return "\n".join(lines)
