// The report's data, as html.cpp wrote it into the page, and its frames as people read them.

export const data = JSON.parse(document.getElementById("data").textContent);
export const report = data.report;
export const frames = data.frames;

const base = (path) => path.slice(path.lastIndexOf("/") + 1);

export const moduleName = (frame) => base(frame.module);

export function frameName(frame) {
  if (frame.function) return frame.function;
  return frame.module ? `${base(frame.module)}+0x${frame.offset.toString(16)}`
                      : `0x${frame.offset.toString(16)}`;
}

export function framePlace(frame) {
  if (frame.file) return base(frame.file) + (frame.line ? `:${frame.line}` : "");
  return frame.module ? base(frame.module) : "";
}

export const source = (frame) => data.sources[`${frame.file}:${frame.line}`];

export function processName(index) {
  const process = report.processes[index];
  return process ? `${base(process.exe) || "a program"} (pid ${process.pid})` : "";
}

// All frames that a finding tells of, for filters.
export function framesOf(finding) {
  const ids = [...finding.created];
  for (const suspect of finding.suspects) ids.push(suspect.frame, ...suspect.stack);
  return ids.map((id) => frames[id]);
}

export const threadsOf = (finding) =>
  [...new Set(finding.example.events.map((event) => event.thread))];
