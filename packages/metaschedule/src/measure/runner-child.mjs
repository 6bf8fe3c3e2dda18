// Runs kernels for `childRunner`, in a process of its own: a kernel may trap, run for ever or take the process down.
// Plain JavaScript, so that Node starts it from the sources as from the package. The kernels run in a thread beside the
// main one, which can so end the process when the tuner is gone, whatever the kernel does.
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** Addresses that `main` is given are multiples of this. */
const ALIGNMENT = 64;
/** Milliseconds that the first run may take whatever the kernel: memory is new and caches are cold. */
const COLD = 20;
/** A kernel whose first run takes so many times what is slow is not run again. */
const FAR_OFF = 10;

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  process.on("message", (job) => worker.postMessage(job));
  process.on("disconnect", () => process.exit());
  // An interrupt at the terminal reaches the child too; the tuner decides when it ends.
  process.on("SIGINT", () => {});
  worker.on("message", (answer) => process.send(answer));
  worker.on("error", () => process.exit(1));
} else {
  parentPort.on("message", (job) => parentPort.postMessage({ id: job.id, ...attempt(job) }));
  parentPort.postMessage({ id: "ready" });
}

function attempt(job) {
  try {
    return run(job);
  } catch (error) {
    return { ok: false, error: `${error?.name ?? "Error"}: ${error?.message ?? String(error)}` };
  }
}

function run({ kernel, expected, keepOutputs, slow, budget }) {
  let end = align(kernel.reservedBytes);
  const addresses = kernel.buffers.map(({ bytes }) => {
    const address = end;
    // Vectors may read a little beyond a buffer's end.
    end = align(end + bytes + 16);
    return address;
  });
  const pages = Math.ceil(end / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const fill = () => kernel.buffers.forEach(({ init }, i) => {
    if (init !== undefined) new Uint8Array(memory.buffer, addresses[i], init.length).set(init);
  });
  const { main } = new WebAssembly.Instance(new WebAssembly.Module(kernel.wasm), { env: { memory } }).exports;
  fill();
  const first = timeOf(() => main(...addresses));
  const outputs = kernel.buffers.flatMap(({ bytes, isOutput }, i) => (isOutput ? [new Uint8Array(memory.buffer, addresses[i], bytes).slice()] : []));
  const wrong = expected === undefined ? undefined : difference(outputs, expected, budget.tolerance);
  if (wrong !== undefined) return { ok: false, error: `wrong result: ${wrong}` };
  if (first > COLD + FAR_OFF * slow) return { ok: true, seconds: first / 1000, runs: 1 };
  let least = Infinity;
  let runs = 0;
  const stop = performance.now() + budget.milliseconds;
  const isDone = () => runs >= budget.maxRuns || (runs >= budget.minRuns && (least > slow || performance.now() >= stop));
  while (!isDone()) {
    least = Math.min(least, timeOf(() => main(...addresses)));
    runs++;
  }
  return { ok: true, seconds: least / 1000, runs, ...(keepOutputs ? { outputs } : {}) };
}

/**
 * Milliseconds that a call takes. Where the machine does something else meanwhile, the time that the process computed is
 * the nearer bound; where it does not, and for what is short, the time that passed is.
 */
function timeOf(call) {
  const before = process.cpuUsage();
  const start = performance.now();
  call();
  const passed = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return Math.min(passed, (user + system) / 1000 || passed);
}

function align(address) {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/** What is off between results, as 32-bit floats: errors count relative to the largest value. */
function difference(actual, expected, tolerance) {
  if (actual.length !== expected.length) return `there are ${actual.length} results instead of ${expected.length}`;
  for (const [i, bytes] of actual.entries()) {
    const [a, e] = [floats(bytes), floats(expected[i])];
    if (a.length !== e.length) return `result ${i} has ${a.length} elements instead of ${e.length}`;
    const scale = e.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-30);
    for (let k = 0; k < e.length; k++) {
      const same = a[k] === e[k] || (Number.isNaN(a[k]) && Number.isNaN(e[k]));
      if (!same && !(Math.abs(a[k] - e[k]) <= tolerance * scale)) return `element ${k} of result ${i} is ${a[k]}, not ${e[k]}`;
    }
  }
  return undefined;
}

function floats(bytes) {
  const copy = bytes.slice();
  return new Float32Array(copy.buffer, 0, copy.length >> 2);
}
