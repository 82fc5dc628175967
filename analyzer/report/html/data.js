// The report's data, as html_data.cpp wrote it into the page, and its frames as people read them.

export const data = JSON.parse(document.getElementById("data").textContent);
export const report = data.report;
// As in the JSON report.
export const frames = data.frames.map(([name, file, line, module, buildId, offset, inlined]) => ({
  function: data.names[name], file: data.names[file], line, module: data.names[module],
  build_id: data.names[buildId], offset, inlined: inlined !== 0 }));

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

// The numbers of the frames that a finding holds, for filters.
export function frameIdsOf(finding) {
  const ids = new Set(finding.created);
  for (const suspect of finding.suspects) {
    ids.add(suspect.frame);
    for (const id of suspect.stack) ids.add(id);
  }
  return [...ids];
}

export const threadsOf = (finding) =>
  [...new Set(finding.example.events.map((event) => event.thread))];
