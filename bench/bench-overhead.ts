import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import type * as Ort from "onnxruntime-node";
import onnxProto from "onnx-proto";
import { figure, markdownTable } from "./bench-row.ts";
import { interleave, type Contestant } from "./interleave.ts";
import { benchOptions, writeJson } from "./options.ts";
import { writeSection } from "./performance-page.ts";

// What a run costs beside what the model computes: here next to nothing.
const options = benchOptions("bench:overhead", "Times a run of a model that does next to nothing, y = x + 1 of four floats, in turns with its peers.", 3000);
const RUNS = 1000;

/** `y = x + 1` of four floats, as an ONNX file. */
function addOne(): Uint8Array {
  const value = (name: string): object => ({ name, type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 4 }] } } } });
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "add-one",
      node: [{ opType: "Add", input: ["x", "one"], output: ["y"] }],
      initializer: [{ name: "one", dims: [1], dataType: 1, floatData: [1] }],
      input: [value("x")],
      output: [value("y")],
    },
  }).finish();
}

/** A contestant that runs `once` a thousand times; `read` gives `y` of a run. */
async function contestant(name: string, once: () => unknown, read: (outputs: unknown) => ArrayLike<number>): Promise<Contestant> {
  const found = read(await once());
  if (Array.from(found).join() !== "2,3,4,5") throw new Error(`${name} gives ${Array.from(found).join()}`);
  if (once() instanceof Promise) {
    return { name, run: async () => { for (let i = 0; i < RUNS; i++) await once(); } };
  }
  return { name, run: () => { for (let i = 0; i < RUNS; i++) once(); } };
}

const bytes = addOne();
const executable = await compile(importOnnx(bytes), { name: "add-one" });
const model = await executable.load();
const x = Float32Array.of(1, 2, 3, 4);
const y = (outputs: unknown): ArrayLike<number> => (outputs as { readonly y: { readonly data: Float32Array } }).y.data;
const contestants = [
  await contestant("`run`", () => model.run({ x }), y),
  await contestant("`runSync`", () => model.runSync({ x }), y),
  await contestant("`runSync`, `copy: false`", () => model.runSync({ x }, { copy: false }), y),
];
for (const name of ["onnxruntime-web", "onnxruntime-node"]) {
  const ort = (await import(name)) as typeof Ort;
  if (name === "onnxruntime-web") ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  contestants.push(await contestant(name, () => session.run({ x: new ort.Tensor("float32", x, [4]) }), y));
}
const timings = await interleave(contestants, { milliseconds: options.milliseconds, warmup: 10, minRounds: 20, maxRounds: 1000, clock: options.clock });
const rows = contestants.map(({ name }, i) => ({ name, microseconds: ((timings[i]?.min ?? NaN) / RUNS) * 1000, median: ((timings[i]?.median ?? NaN) / RUNS) * 1000 }));
const table = markdownTable(["call", "µs"], rows.map((r) => [r.name, `${figure(r.microseconds)} / ${figure(r.median)}`]));
console.log(table);
writeJson(options, rows);
if (options.write) {
  const intro = `Microseconds of ${options.clock === "cpu" ? "processor time" : "time"} for one run of y = x + 1 of four floats, \`minimum / median\` over rounds of ${RUNS} runs. Command: \`pnpm bench:overhead\`.`;
  writeSection("overhead", "What a run costs", `${intro}\n\n${table}`);
}
process.exit();
