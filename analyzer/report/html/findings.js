// The list of findings: verdict lines that open to evidence; which of them fit the filters; keys.
import { bytes, el, number } from "./dom.js";
import { frameIdsOf, frameName, framePlace, frames, moduleName, processName, report, source,
         threadsOf } from "./data.js";
import { chosen, onFilter } from "./filters.js";
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

function once(make) {
  let made = null;
  return () => (made ??= make());
}

export function findingsView() {
  const findings = report.findings, cards = findings.map(card);
  const shown = el("p", { class: "quiet", role: "status", id: "shown" });
  // The texts that a word is searched in, made at the first search: by frame, and by finding.
  const frameTexts = once(() => frames.map((one) => `${frameName(one)} ${one.file}`.toLowerCase()));
  const ownTexts = once(() =>
    findings.map((one) => `${one.type}\n${one.kind}\n${one.id}`.toLowerCase()));
  const frameIds = once(() => findings.map(frameIdsOf));

  // Whether a finding has a frame that is wanted, by the finding's index.
  function withFrame(wanted) {
    const fits = frames.map(wanted);
    return (index) => frameIds()[index].some((id) => fits[id]);
  }
  function apply() {
    const { type, module, thread } = chosen;
    const wanted = chosen.words.map((word) => {
      const inFrame = withFrame((_, id) => frameTexts()[id].includes(word));
      return (index) => ownTexts()[index].includes(word) || inFrame(index);
    });
    if (type) wanted.push((index) => findings[index].type === type);
    if (module) wanted.push(withFrame((frame) => moduleName(frame) === module));
    if (thread) wanted.push((index) => threadsOf(findings[index]).includes(Number(thread)));
    let visible = 0;
    cards.forEach((one, index) => {
      one.hidden = !wanted.every((fits) => fits(index));
      visible += !one.hidden;
    });
    const total = report.summary.findings;
    shown.textContent = `${number(visible)} of ${number(total)} findings` +
      (total > cards.length ? `; the page holds the ${number(cards.length)} worst` : "") +
      (thread ? `; thread ${thread} has a part in the example life of these` : "");
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
    else if (event.key === "/") {
      event.preventDefault();
      document.getElementById("filter-text").focus();
    }
  });
  // A link to a finding opens it; one to an event marks it.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.show) { target.hidden = false; target.show(); target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", follow);
  onFilter(apply);
  apply();
  if (cards.length && report.findings[0].kind !== "held") cards[0].show();
  queueMicrotask(follow);
  return el("section", {}, el("h2", {}, "Findings"),
            el("p", { class: "quiet keys" }, "Keys: ", el("kbd", {}, "j"), " ", el("kbd", {}, "k"),
               " next and previous, ", el("kbd", {}, "Enter"), " opens, ", el("kbd", {}, "/"),
               " searches, ", el("kbd", {}, "Esc"), " leaves the field"), shown, cards);
}
