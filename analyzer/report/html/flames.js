// Flame graphs of one type's memory: live at the end, at its peak, allocated in all
// (d3-flame-graph). A node of the data is [frame, [live, peak, allocated], children].
import flamegraph from "d3-flame-graph";
import { select as d3select } from "d3-selection";
import { bytes, el } from "./dom.js";
import { data, frameName, framePlace, frames } from "./data.js";

const WEIGHTS = ["live at the end", "at the peak", "allocated in all"];

function tree([frame, values, children], at, root) {
  const inner = children.filter((child) => child[1][at] > 0).map((child) => tree(child, at));
  return { name: root || frameName(frames[frame]), place: root ? "" : framePlace(frames[frame]),
           value: values[at], children: inner };
}

export function flamesView() {
  const trees = data.usage.trees;
  if (!trees.length) return null;
  const box = el("div", { id: "flames" }), detail = el("div", { class: "detail frame", id: "flame-detail" });
  const type = el("select", { id: "flame-type", "aria-label": "type", onchange: draw },
    trees.map((one, index) => el("option", { value: index }, data.usage.types[one.type])));
  const weight = el("select", { id: "flame-weight", "aria-label": "weight", onchange: draw },
    WEIGHTS.map((name, index) => el("option", { value: index }, name)));
  const search = el("input", { id: "flame-search", type: "search", placeholder: "search functions",
                               "aria-label": "search functions", oninput: find });
  const reset = el("button", { id: "flame-reset", type: "button", onclick: () => {
    search.value = ""; graph.clear(); graph.resetZoom(); tell(null); } }, "whole graph");
  let graph = null, total = 0;

  function tell(node) {
    detail.textContent = node ? `${node.data.name} ${node.data.place}: ${bytes(node.value)}, ` +
                                `${((100 * node.value) / total).toFixed(1)} %` : "";
  }
  function find() {
    if (search.value.trim()) graph.search(search.value.trim());
    else { graph.clear(); tell(null); }
  }
  function draw() {
    const one = trees[Number(type.value)], at = Number(weight.value);
    box.replaceChildren();
    total = one.tree[1][at];
    if (!total) {
      box.append(el("p", { class: "quiet" }, `Nothing of this type was ${WEIGHTS[at]}.`));
    }
    graph = flamegraph().width(box.clientWidth || 600).cellHeight(20).transitionDuration(0)
      .minFrameSize(2).selfValue(false).inverted(false).title("").onHover(tell).onClick(tell)
      .label((node) => `${node.data.name} (${bytes(node.value)})`)
      .setSearchMatch((node, term) => node.data.name.toLowerCase().includes(term.toLowerCase()))
      .setSearchHandler((_, sum) => {
        detail.textContent = `found: ${bytes(sum)}, ${((100 * sum) / (total || 1)).toFixed(1)} %`;
      });
    d3select(box).datum(tree(one.tree, at, data.usage.types[one.type])).call(graph);
  }
  let width = 0;
  new ResizeObserver(() => {
    if (Math.abs(box.clientWidth - width) > 1) { width = box.clientWidth; draw(); }
  }).observe(box);
  return el("section", {}, el("h2", {}, "Where memory comes from"),
            el("div", { class: "bar" }, type, weight, search, reset), detail, box);
}
