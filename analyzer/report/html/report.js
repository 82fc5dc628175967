// The page: the verdict, the totals, filters, then findings, the course of memory, where it comes
// from.
import "uplot/dist/uPlot.min.css";
import "./node_modules/d3-flame-graph/dist/d3-flamegraph.css";
import "./report.css";
import { chartView } from "./chart.js";
import { report } from "./data.js";
import { bytes, el, number } from "./dom.js";
import { filtersView } from "./filters.js";
import { findingsView } from "./findings.js";
import { flamesView } from "./flames.js";

const VERDICTS = { faults: "faults found", clean: "clean", inconclusive: "inconclusive" };

function headView() {
  const { summary, processes } = report;
  const total = (name, value) => el("div", {}, el("span", { class: "quiet" }, name), el("b", {}, value));
  const warnings = processes.flatMap((process) =>
    process.warnings.map((warning) => `${process.complete ? "note" : "incomplete"}: ${process.trace}: ${warning}`));
  return el("header", {},
    el("h1", { class: summary.verdict, id: "verdict" }, VERDICTS[summary.verdict]),
    [...new Set(warnings)].slice(0, 20).map((text) => el("p", { class: "warning" }, text)),
    el("p", { class: "frame" }, processes.slice(0, 5).map((process) =>
      el("span", {}, process.command.join(" ") || process.exe,
         el("span", { class: "quiet" }, ` pid ${process.pid}, ` +
            `${process.replaced_by_exec ? "exec" : process.exit}, ${process.level}, ` +
            `${number(process.events)} events`), el("br"))),
      processes.length > 5 ? `and ${processes.length - 5} more processes` : ""),
    el("div", { class: "totals" },
      total("buffers created", number(summary.buffers.created)),
      total("buffers leaked", number(summary.buffers.leaked)),
      total("heap at the end", bytes(summary.heap.live_bytes)),
      total("heap at most", bytes(summary.heap.peak_bytes)),
      total("mappings at the end", bytes(summary.mappings.live_bytes)),
      total("findings", number(summary.findings))));
}

document.getElementById("page").replaceChildren(
  ...[headView(), filtersView(), findingsView(), chartView(), flamesView()].filter(Boolean));
