// Asks Perfetto's own trace processor: node trace_processor.mjs FOLDER TRACE < QUERIES
// FOLDER holds what scripts/lib/trace_processor.sh put there: Perfetto's WebAssembly build, which
// its web page runs in a worker. QUERIES is a JSON array of SQL texts; prints a JSON array of each
// one's rows, as objects. Integers beyond 2^53 come as text.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const [folder, trace] = process.argv.slice(2);
const { EngineBase } = await import(pathToFileURL(join(folder, "engine.mjs")).href);

// The worker, in one of node's. It gets the module's bytes in place of fetching them, and runs as
// 32-bit code whatever this node could do: that is what is there.
function startWorker(port) {
  let script = readFileSync(join(folder, "engine_bundle.node.js"), "utf8");
  for (const [place, other] of [["hasMemory64Support();", "false;"],
                                ["locateFile: (s) => s,", "locateFile: (s) => s, wasmBinary: self.module,"]]) {
    if (!script.includes(place)) throw new Error(`the worker has no '${place}': another version?`);
    script = script.replace(place, other);
  }
  const surroundings = `
    const { parentPort, workerData } = require("node:worker_threads");
    Object.assign(globalThis, { self: globalThis, module: workerData, process: undefined,
                                location: { href: "file:///worker.js" }, WorkerGlobalScope: Object });
    parentPort.once("message", (port) => globalThis.onmessage({ data: port }));`;
  const worker = new Worker(`${surroundings}\n${script}`, {
    eval: true, workerData: new Uint8Array(readFileSync(join(folder, "trace_processor.wasm"))) });
  worker.postMessage(port, [port]);
}

class Engine extends EngineBase {
  mode = "WASM";
  id = "test";
  constructor(port) {
    super();
    this.port = port;
    port.onmessage = ({ data }) => this.onRpcResponseBytes(data);
  }
  rpcSendRequestBytes(bytes) { this.port.postMessage(bytes); }
}

const plain = (value) =>
  typeof value !== "bigint" ? value
    : Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();

function rowsOf(result) {
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    rows.push(Object.fromEntries(result.columns().map((name) => [name, plain(row.get(name))])));
  }
  return rows;
}

const { port1, port2 } = new MessageChannel();
startWorker(port1);
const engine = new Engine(port2);
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
const answers = [];
for (const query of JSON.parse(readFileSync(0, "utf8"))) answers.push(rowsOf(await engine.query(query)));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
