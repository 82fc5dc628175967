// Used bytes and live counts of one type over time (uPlot).
import uPlot from "uplot";
import { bytes, el, number } from "./dom.js";
import { data, processName, report } from "./data.js";
import { choiceByType, chosen, onFilter } from "./filters.js";
import { picture } from "./picture.js";

const HEIGHT = 260;
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function plotOf(one, box) {
  const seconds = one.bytes.map((_, index) => (index * one.step_ns) / 1e9);
  const axis = { stroke: style("--quiet"), grid: { stroke: style("--line"), width: 1 },
                 ticks: { stroke: style("--line"), width: 1 } };
  return new uPlot({
    width: box.clientWidth || 600, height: HEIGHT,
    scales: { x: { time: false } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
           { ...axis, scale: "bytes", size: 76, values: (_, ticks) => ticks.map(bytes) },
           { ...axis, scale: "count", side: 1, size: 60, grid: { show: false },
             values: (_, ticks) => ticks.map(number) }],
    series: [{ label: "time", value: (_, x) => (x === null ? "" : `${x.toPrecision(4)} s`) },
             { label: "used", scale: "bytes", stroke: "#2f7ed8", width: 2, fill: "#2f7ed822",
               value: (_, y) => (y === null ? "" : bytes(y)) },
             { label: "live", scale: "count", stroke: "#e08b1d", width: 2,
               value: (_, y) => (y === null ? "" : number(y)) }],
  }, [seconds, one.bytes, one.count], box);
}

export function chartView() {
  const types = data.usage.types, all = data.usage.series;
  if (!all.length) return null;
  const box = el("div", { class: "chart", id: "chart" });
  const select = choiceByType({ id: "chart-series", "aria-label": "what the chart shows" }, all, {
    typeOf: (one) => types[one.type],
    textOf: (one) => [types[one.type],
      report.processes.length > 1 ? ` in ${processName(one.process)}` : "",
      `, peak ${bytes(one.peak_bytes)}`],
    onchange: () => redraw(),
  });
  const note = el("p", { class: "quiet", id: "chart-note" });
  let plot = null;

  const redraw = picture(box, () => {
    if (plot) plot.destroy();
    plot = select.length ? plotOf(all[Number(select.value)], box) : null;
  });
  onFilter(() => {
    note.textContent = !select.length ? `No memory of type ${chosen.type} was seen.`
      : chosen.module || chosen.thread
        ? "Memory over time is kept by type and process: modules and threads do not change this chart."
        : "";
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return el("section", {}, el("h2", {}, "Memory over time"), el("div", { class: "bar" }, select),
            note, box);
}
