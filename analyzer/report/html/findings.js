// The list of findings: verdict lines that open to evidence; filters; keys.
import { bytes, el, number } from "./dom.js";
import { frameName, framePlace, frames, framesOf, moduleName, processName, report, source,
         threadsOf } from "./data.js";
import { lifeView } from "./life.js";

const KINDS = { "refcount-leak": "LEAK", "heap-leak": "LEAK", "mapping-leak": "LEAK" };
const label = (finding) => KINDS[finding.kind] || finding.kind.replaceAll("-", " ").toUpperCase();

function noun(finding) {
  if (finding.type === "heap") return "heap blocks";
  if (finding.type === "mapping") return "mappings";
  return `buffers of type ${finding.type}`;
}

const frameItem = (frame) =>
  el("li", { class: "frame" }, frameName(frame), " ",
     el("span", { class: "quiet", title: frame.file || frame.module }, framePlace(frame),
        frame.inlined ? " (inlined)" : ""));

function sourceView(frame) {
  const found = source(frame);
  if (!found) return null;
  const width = String(found.first + found.lines.length).length;
  return el("pre", { class: "source" }, found.lines.map((line, index) =>
    el("span", { class: found.first + index === frame.line ? "here" : "" },
       `${String(found.first + index).padStart(width)}  ${line}`)));
}

function stackView(ids) {
  const all = ids.map((id) => frames[id]);
  if (all.length <= 8) return el("ul", { class: "frames" }, all.map(frameItem));
  return el("div", {}, el("ul", { class: "frames" }, all.slice(0, 6).map(frameItem)),
            el("details", {}, el("summary", { class: "quiet" }, `${all.length - 6} more frames`),
               el("ul", { class: "frames" }, all.slice(6).map(frameItem))));
}

function suspectView(suspect, title) {
  const frame = frames[suspect.frame];
  return el("section", {},
    el("h3", {}, title, ` ${suspect.cause.replaceAll("-", " ")}, confidence `,
       suspect.confidence.toFixed(2), suspect.ambiguous ? " (ambiguous)" : ""),
    el("ul", { class: "frames" }, frameItem(frame)), sourceView(frame),
    el("p", {}, suspect.explanation),
    el("details", {}, el("summary", { class: "quiet" }, "whole stack"), stackView(suspect.stack)));
}

function body(finding, key) {
  const others = finding.culprit ? finding.suspects.slice(1) : finding.suspects;
  const made = frames[finding.created[0]];
  return el("div", {},
    finding.reason ? el("p", {}, "Not accused: ", finding.reason) : null,
    finding.culprit ? suspectView(finding.culprit, "Culprit:") : null,
    el("h3", {}, finding.kind === "allocation-failure" ? "Failed at" : "Created at"),
    finding.created.length ? stackView(finding.created)
                           : el("p", { class: "quiet" }, "(no stack was recorded)"),
    made ? sourceView(made) : null,
    el("p", { class: "quiet" }, [
      finding.peers_ended ? `${number(finding.peers_ended)} others made here did end. ` : "",
      report.processes.length > 1 ? `Process ${processName(finding.process)}. ` : "",
      `Id `, el("a", { href: `#finding-${finding.id}` }, finding.id)]),
    lifeView(finding, key),
    others.length ? el("details", {}, el("summary", {}, `${others.length} other suspects`),
                       others.map((one) => suspectView(one, "Suspect:"))) : null);
}

// Filled when it is first opened: a page of thousands of findings opens at once.
function card(finding, key) {
  const place = frames[finding.culprit ? finding.culprit.frame : finding.created[0]];
  const count = finding.final_count.min === null || finding.type === "heap" ||
                finding.type === "mapping" ? "" : finding.final_count.min === finding.final_count.max
      ? `, count ${finding.final_count.min}`
      : `, count ${finding.final_count.min} to ${finding.final_count.max}`;
  const node = el("details", { class: "finding", id: `finding-${finding.id}` },
    el("summary", {},
       el("span", { class: `kind ${finding.kind}` }, label(finding)), " ",
       `${number(finding.count)} ${noun(finding)}, ${bytes(finding.bytes)}${count}`,
       place ? el("span", { class: "place frame" },
                  finding.culprit ? `${finding.culprit.cause.replaceAll("-", " ")}: ` : "",
                  frameName(place), " ", framePlace(place)) : null));
  const open = () => { if (node.children.length === 1) node.append(body(finding, key)); };
  node.addEventListener("toggle", () => { if (node.open) open(); });
  node.show = () => { open(); node.open = true; };
  return node;
}

export function findingsView() {
  const cards = report.findings.map((finding, index) => card(finding, index));
  const all = report.findings.map((finding) => {
    const told = framesOf(finding);
    return { finding, modules: new Set(told.map(moduleName)), threads: new Set(threadsOf(finding)),
             text: [finding.type, finding.kind, finding.id,
                    ...told.map((frame) => `${frameName(frame)} ${frame.file}`)]
                       .join("\n").toLowerCase() };
  });
  const choice = (name, values, show = String) =>
    el("select", { id: `filter-${name}`, "aria-label": name, onchange: apply },
       el("option", { value: "" }, `every ${name}`),
       values.map((value) => el("option", { value }, show(value))));
  const distinct = (values) => [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
  const search = el("input", { id: "filter-text", type: "search", placeholder: "search findings ( / )",
                               "aria-label": "search findings", oninput: apply });
  const types = choice("type", distinct(all.map((one) => one.finding.type)));
  const modules = choice("module", distinct(all.flatMap((one) => [...one.modules])).filter(Boolean));
  const threads = choice("thread", [...new Set(all.flatMap((one) => [...one.threads]))]
                                       .sort((a, b) => a - b), (id) => `thread ${id}`);
  const shown = el("p", { class: "quiet", role: "status", id: "shown" });

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let visible = 0;
    all.forEach((one, index) => {
      const fits = words.every((word) => one.text.includes(word)) &&
        (!types.value || one.finding.type === types.value) &&
        (!modules.value || one.modules.has(modules.value)) &&
        (!threads.value || one.threads.has(Number(threads.value)));
      cards[index].hidden = !fits;
      visible += fits;
    });
    const total = report.summary.findings;
    shown.textContent = `${number(visible)} of ${number(total)} findings` +
      (total > cards.length ? `; the page holds the ${number(cards.length)} worst` : "");
  }

  function step(by) {
    const visible = cards.filter((one) => !one.hidden);
    const at = visible.indexOf(document.activeElement.closest(".finding"));
    const next = visible[at < 0 ? (by > 0 ? 0 : visible.length - 1)
                                : Math.min(Math.max(at + by, 0), visible.length - 1)];
    if (next) next.querySelector("summary").focus();
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && typing) return event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
  });
  // A link to a finding opens it; one to an event marks it.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.show) { target.hidden = false; target.show(); target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", follow);
  apply();
  if (cards.length && report.findings[0].kind !== "held") cards[0].show();
  queueMicrotask(follow);
  return el("section", {}, el("h2", {}, "Findings"),
            el("div", { class: "bar" }, search, types, modules, threads),
            el("p", { class: "quiet keys" }, "Keys: ", el("kbd", {}, "j"), " ", el("kbd", {}, "k"),
               " next and previous, ", el("kbd", {}, "Enter"), " opens, ", el("kbd", {}, "/"),
               " searches, ", el("kbd", {}, "Esc"), " leaves the field"), shown, cards);
}
