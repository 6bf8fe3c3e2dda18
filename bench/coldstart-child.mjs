// One cold start in a fresh process: `node coldstart-child.mjs KIND MODULE INPUT`. Prints milliseconds as JSON.
// Plain JavaScript, so that nothing but the contestant is loaded.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [, , kind, path, inputs] = process.argv;
const specs = JSON.parse(inputs);
const filled = specs.map(({ dtype, shape }) => {
  const count = shape.reduce((n, d) => n * d, 1);
  if (dtype === "float16") return new Uint16Array(count).fill(0x3800);
  return Float32Array.from({ length: count }, (_, i) => ((i * 2654435761) % 1000) / 1000);
});

const start = performance.now();
let run;
if (kind === "verticil") {
  const { load } = await import(pathToFileURL(path).href);
  const model = await load();
  const feeds = Object.fromEntries(model.inputs.map((v, i) => [v.name, filled[i]]));
  run = () => model.run(feeds);
} else {
  const ort = await import(kind);
  if (kind === "onnxruntime-web") ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(await readFile(path), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = Object.fromEntries(session.inputNames.map((name, i) => [name, new ort.Tensor(specs[i].dtype, filled[i], specs[i].shape)]));
  run = () => session.run(feeds);
}
const loaded = performance.now();
await run();
const first = performance.now();
await run();
const cpu = process.cpuUsage();
console.log(JSON.stringify({ load: loaded - start, first: first - loaded, second: performance.now() - first, cpu: (cpu.user + cpu.system) / 1000 }));
process.exit();
