// Flame graphs of one type's memory: live at the end, at its peak, allocated in all
// (d3-flame-graph). A node of the data is [frame, [live, peak, allocated], children].
import flamegraph from "d3-flame-graph";
import { select as d3select } from "d3-selection";
import { bytes, el } from "./dom.js";
import { data, frameName, framePlace, frames, moduleName } from "./data.js";
import { choiceByType, chosen, onFilter } from "./filters.js";
import { picture } from "./picture.js";

const WEIGHTS = ["live at the end", "at the peak", "allocated in all"];

// The part of a node's memory that was made in stacks through `module` ("": any), with the nodes
// that lead there; null where nothing was.
function through([frame, values, children], at, module) {
  const name = frame === null ? "" : frameName(frames[frame]);
  const place = frame === null ? "" : framePlace(frames[frame]);
  const inside = !module || (frame !== null && moduleName(frames[frame]) === module);
  const inner = children.map((child) => through(child, at, inside ? "" : module)).filter(Boolean);
  const value = inside ? values[at] : inner.reduce((sum, child) => sum + child.value, 0);
  return value > 0 ? { name, place, value, children: inner } : null;
}

export function flamesView() {
  const types = data.usage.types, trees = data.usage.trees;
  if (!trees.length) return null;
  const box = el("div", { id: "flames" }), detail = el("div", { class: "detail frame", id: "flame-detail" });
  const note = el("p", { class: "quiet", id: "flame-note" });
  const type = choiceByType({ id: "flame-type", "aria-label": "type" }, trees, {
    typeOf: (one) => types[one.type], textOf: (one) => types[one.type], onchange: () => redraw() });
  const weight = el("select", { id: "flame-weight", "aria-label": "weight", onchange: () => redraw() },
    WEIGHTS.map((name, index) => el("option", { value: index }, name)));
  const search = el("input", { id: "flame-search", type: "search", placeholder: "search functions",
                               "aria-label": "search functions", oninput: find });
  const reset = el("button", { id: "flame-reset", type: "button", onclick: () => {
    search.value = "";
    if (graph) { graph.clear(); graph.resetZoom(); }
    show(null); } }, "whole graph");
  let graph = null, total = 0;

  function show(node) {
    detail.textContent = node ? `${node.data.name} ${node.data.place}: ${bytes(node.value)}, ` +
                                `${((100 * node.value) / total).toFixed(1)} %` : "";
  }
  function find() {
    if (!graph) return;
    if (search.value.trim()) graph.search(search.value.trim());
    else { graph.clear(); show(null); }
  }
  function explain(root, whole) {
    const lines = [];
    if (!type.length) lines.push(`No memory of type ${chosen.type} was seen.`);
    else if (!whole) lines.push(`Nothing of this type was ${WEIGHTS[weight.value]}.`);
    else if (chosen.module) {
      lines.push(`Stacks through ${chosen.module}: ${bytes(root ? root.value : 0)} of ${bytes(whole)}, ` +
                 "without those too small for the picture.");
    }
    if (chosen.thread) lines.push("Stacks are added up over all threads: a thread does not change this graph.");
    note.textContent = lines.join(" ");
  }
  const redraw = picture(box, () => {
    const one = type.length ? trees[Number(type.value)] : null, at = Number(weight.value);
    const root = one && through(one.tree, at, chosen.module);
    explain(root, one ? one.tree[1][at] : 0);
    box.replaceChildren();
    show(null);
    graph = null;
    if (!root) return;
    root.name = types[one.type];
    total = root.value;
    graph = flamegraph().width(box.clientWidth || 600).cellHeight(20).transitionDuration(0)
      .minFrameSize(2).selfValue(false).inverted(false).title("").onHover(show).onClick(show)
      .label((node) => `${node.data.name} (${bytes(node.value)})`)
      .setSearchMatch((node, term) => node.data.name.toLowerCase().includes(term.toLowerCase()))
      .setSearchHandler((_, sum) => {
        detail.textContent = `found: ${bytes(sum)}, ${((100 * sum) / (total || 1)).toFixed(1)} %`;
      });
    d3select(box).datum(root).call(graph);
    find();
  });
  onFilter(redraw);
  return el("section", {}, el("h2", {}, "Where memory comes from"),
            el("div", { class: "bar" }, type, weight, search, reset), note, detail, box);
}
