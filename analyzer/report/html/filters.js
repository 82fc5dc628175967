// The filters, one bar for the whole page. Findings, chart and flame graph each listen, show what
// fits, and say where a filter has no meaning for what they show.
import { el } from "./dom.js";
import { data, frameIdsOf, frames, moduleName, report, threadsOf } from "./data.js";

export const chosen = { words: [], type: "", module: "", thread: "" };

const listeners = [];
export const onFilter = (listener) => listeners.push(listener);

// A choice among those of `items` whose type fits the filter, as a <select> whose values are their
// indices. The reader's choice in it comes back as soon as it applies again.
export function choiceByType(attributes, items, { typeOf, textOf, onchange }) {
  let own = "0";
  const select = el("select", { ...attributes, onchange: () => { own = select.value; onchange(); } });
  function fill() {
    select.replaceChildren(...items.flatMap((one, index) =>
      chosen.type && typeOf(one) !== chosen.type ? []
        : [el("option", { value: index, selected: String(index) === own }, textOf(one))]));
    select.hidden = !select.length;
  }
  onFilter(fill);
  fill();
  return select;
}

const distinct = (values) => [...new Set(values)].filter((value) => value !== "");
const sorted = (values) => distinct(values).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

function idsOfTree([frame, , children]) {
  return [...(frame === null ? [] : [frame]), ...children.flatMap(idsOfTree)];
}

export function filtersView() {
  const ids = new Set([...report.findings.flatMap(frameIdsOf),
                       ...data.usage.trees.flatMap((one) => idsOfTree(one.tree))]);
  const search = el("input", { id: "filter-text", type: "search", placeholder: "search findings ( / )",
                               "aria-label": "search findings", oninput: change });
  const choice = (name, values, show = String) =>
    el("select", { id: `filter-${name}`, "aria-label": name, onchange: change },
       el("option", { value: "" }, `every ${name}`),
       values.map((value) => el("option", { value }, show(value))));
  const choices = {
    type: choice("type", sorted([...report.findings.map((one) => one.type), ...data.usage.types])),
    module: choice("module", sorted([...ids].map((id) => moduleName(frames[id])))),
    thread: choice("thread", distinct(report.findings.flatMap(threadsOf)).sort((a, b) => a - b),
                   (id) => `thread ${id}`),
  };

  function change() {
    chosen.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [name, select] of Object.entries(choices)) chosen[name] = select.value;
    for (const listener of listeners) listener();
  }
  return el("div", { class: "bar filters", role: "search" }, search, Object.values(choices));
}
