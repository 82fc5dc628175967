// Used bytes and live counts of one type over time (uPlot).
import uPlot from "uplot";
import { bytes, el, number } from "./dom.js";
import { data, processName, report } from "./data.js";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function chartView() {
  const series = data.usage.series;
  if (!series.length) return null;
  const box = el("div", { class: "chart", id: "chart" });
  const select = el("select", { id: "chart-series", "aria-label": "what the chart shows",
                                onchange: draw },
    series.map((one, index) => el("option", { value: index }, data.usage.types[one.type],
      report.processes.length > 1 ? ` in ${processName(one.process)}` : "",
      `, peak ${bytes(one.peak_bytes)}`)));
  let plot = null;

  function draw() {
    const one = series[Number(select.value)];
    const seconds = one.bytes.map((_, index) => (index * one.step_ns) / 1e9);
    const axis = { stroke: style("--quiet"), grid: { stroke: style("--line"), width: 1 },
                   ticks: { stroke: style("--line"), width: 1 } };
    if (plot) plot.destroy();
    plot = new uPlot({
      width: box.clientWidth || 600, height: 260,
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
  new ResizeObserver(() => plot && plot.setSize({ width: box.clientWidth, height: 260 })).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  setTimeout(draw);
  return el("section", {}, el("h2", {}, "Memory over time"), el("div", { class: "bar" }, select),
            box);
}
