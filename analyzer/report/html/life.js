// An example life beside its nearest clean peer: both on one time axis, each from its own begin.
import { duration, el, svg } from "./dom.js";
import { frameName, framePlace, frames } from "./data.js";

const KNOWN = ["create", "retain", "release", "destroy", "free"];
const WIDTH = 760, LEFT = 96, ROW = 46;

const dotClass = (op) => `dot op-${KNOWN.includes(op) ? op : "other"}`;

// Many events at once would hide each other: equal places are put one above the other.
function lane(life, name, row, span, link) {
  const middle = 26 + row * ROW, begin = life.events.length ? life.events[0].time_ns : 0;
  const used = new Map();
  const dots = life.events.map((event, index) => {
    const x = LEFT + (WIDTH - LEFT - 20) * (span ? (event.time_ns - begin) / span : 0);
    const slot = Math.round(x / 9), height = used.get(slot) || 0;
    used.set(slot, height + 1);
    const dot = svg("circle", { class: dotClass(event.op), cx: x + (height % 8) * 9,
                                cy: middle - Math.floor(height / 8) * 9, r: 5 });
    dot.append(svg("title", {}, `${event.op}, count ${event.count}, ` +
                                `+${duration(event.time_ns - begin)}, thread ${event.thread}`));
    return svg("a", { href: `#${link}-${index}`, "aria-label": `${event.op} ${index + 1}` }, dot);
  });
  return [svg("text", { x: 0, y: middle + 4 }, name),
          svg("line", { x1: LEFT - 8, x2: WIDTH, y1: middle, y2: middle }), ...dots];
}

function eventList(life, link) {
  const begin = life.events.length ? life.events[0].time_ns : 0;
  const items = life.events.map((event, index) => {
    const stack = event.stack.map((id) => frames[id]);
    const inner = stack[event.telling || 0] || stack[0];
    const rest = stack.map((frame) => el("li", { class: "frame" }, frameName(frame), " ",
                                         el("span", { class: "quiet" }, framePlace(frame))));
    return el("li", { id: `${link}-${index}` },
              el("b", {}, event.op), ` count ${event.count} `,
              el("span", { class: "quiet" },
                 `+${duration(event.time_ns - begin)}, thread ${event.thread}`),
              event.hint ? ` “${event.hint}”` : "",
              inner ? el("details", {}, el("summary", { class: "frame" }, frameName(inner), " ",
                                           el("span", { class: "quiet" }, framePlace(inner))),
                         el("ul", { class: "frames" }, rest)) : null);
  });
  if (life.events_left_out) {
    items.splice(Math.ceil(items.length / 2), 0,
                 el("li", { class: "quiet" }, `(${life.events_left_out} more records)`));
  }
  return el("ol", { class: "events" }, items);
}

export function lifeView(finding, key) {
  const example = finding.example, peer = example.peer;
  if (!example.events.length) return null;
  const span = (life) => life.events[life.events.length - 1].time_ns - life.events[0].time_ns;
  const longest = Math.max(span(example), peer && peer.events.length ? span(peer) : 0);
  const rows = peer && peer.events.length ? 2 : 1;
  const legend = ["create", "retain", "release"].map((op) => el("span", { class: op }, op));
  return el("section", {},
    el("h3", {}, "An example life", rows === 2 ? " beside its nearest clean peer" : ""),
    el("div", { class: "wide" }, svg("svg", { class: "life", viewBox: `0 0 ${WIDTH} ${rows * ROW + 24}`, role: "img",
                 "aria-label": "events over time" },
        lane(example, "this one", 0, longest, `life-${key}`),
        rows === 2 ? lane(peer, "ended well", 1, longest, `peer-${key}`) : [],
        svg("text", { x: LEFT - 8, y: rows * ROW + 20 }, "0"),
        svg("text", { x: WIDTH, y: rows * ROW + 20, "text-anchor": "end" }, duration(longest)))),
    el("div", { class: "legend" }, legend, el("span", { class: "end" }, "destroy, free"),
       el("span", { class: "other" }, "other")),
    el("div", { class: "columns" },
       el("div", {}, el("h3", {}, `Buffer ${example.buffer}`), eventList(example, `life-${key}`)),
       rows === 2 ? el("div", {}, el("h3", {}, `Buffer ${peer.buffer}, which ended`),
                       eventList(peer, `peer-${key}`)) : null));
}
