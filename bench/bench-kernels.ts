import { compile } from "@verticil/compiler";
import { BlockBuilder, makeConstant, makeShapeExpr, makeTensorStructInfo, makeVar, relaxOps } from "@verticil/relax";
import { chooseCode, elementCount, randomTensor, readSafetensors, tensorBytes, usesRelaxedSimd, type Tensor, type ValueSpec } from "@verticil/runtime-ffi";
import { PEAK_FLOPS, peakModule } from "../packages/target-wasm/bench/peak.ts";
import { figure, markdownTable, type BenchRow } from "./bench-row.ts";
import { interleave, type Contestant } from "./interleave.ts";
import { flopsOf, kernelCases, shapesOf, type KernelCase } from "./kernel-cases.ts";
import { benchOptions, writeJson } from "./options.ts";
import { kernelOnOrtWeb, kernelOnTfjs } from "./peer-kernels.ts";
import { writeSection } from "./performance-page.ts";

const options = benchOptions("bench:kernels", "Times single kernels beside their peers and beside the multiply-add peak of the machine.", 1500);
const peakRounds = 20_000;

/** The kernel as a model of one operator whose second operand is a constant. */
async function openOurs(c: KernelCase, w: Tensor): Promise<OpenKernel> {
  const bb = new BlockBuilder({ ops: relaxOps });
  const { x } = shapesOf(c);
  const input = makeVar("x", makeTensorStructInfo(makeShapeExpr(x), "float32"));
  bb.function("main", [input], () =>
    bb.dataflow(() => {
      const weight = makeConstant(w);
      if (c.kind === "matmul") return bb.emitOutput(bb.callOp("relax.matmul", [input, weight]));
      const pad = (c.kernel - 1) / 2;
      const attrs = { strides: [1, 1], padding: [pad, pad, pad, pad], dilation: [1, 1], groups: c.depthwise ? c.inChannels : 1, data_layout: "NHWC", kernel_layout: "HWIO", out_layout: "NHWC" };
      return bb.emitOutput(bb.callOp("relax.nn.conv2d", [input, weight], attrs));
    }),
  );
  const executable = await compile(bb.finalize(), { name: "kernel" });
  if (executable.kind !== "static") throw new Error("internal: a kernel of fixed shape needs no virtual machine");
  const { manifest, files } = executable;
  const { base, arena, params } = manifest.memory;
  const pages = Math.ceil((base + arena + params) / 65536) + 1;
  // Code that could share its memory takes one of limited size only.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const wasm = files.get(chooseCode(manifest.files).file.path) as Uint8Array<ArrayBuffer>;
  const { tensors } = readSafetensors(files.get(manifest.files.weights.path) as Uint8Array);
  for (const { name, offset } of manifest.constants) {
    const t = tensors.get(name);
    if (t !== undefined) new Uint8Array(memory.buffer, base + arena + offset, t.data.byteLength).set(tensorBytes(t));
  }
  const { main } = (await WebAssembly.instantiate(await WebAssembly.compile(wasm), { env: { memory } })).exports;
  const view = (v: ValueSpec | undefined): Float32Array =>
    new Float32Array(memory.buffer, base + (v?.space === "params" ? arena : 0) + (v?.offset ?? 0), elementCount(v?.shape ?? []));
  return { input: view(manifest.inputs[0]), output: view(manifest.outputs[0]), run: () => (main as (arena: number, params: number) => void)(base, base + arena) };
}

/** A kernel with its operands in place, as it is in the middle of a model. */
interface OpenKernel {
  readonly input: Float32Array;
  readonly output: Float32Array;
  run(): void;
}

/** The largest difference, relative to the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  let worst = a.length === b.length ? 0 : Infinity;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)) || 0);
    scale = Math.max(scale, Math.abs(b[i] ?? 0));
  }
  return worst / scale;
}

function peakContestant(): Contestant {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { peak } = new WebAssembly.Instance(new WebAssembly.Module(peakModule({ relaxed: usesRelaxedSimd() })), { env: { memory } }).exports;
  return { name: "peak", run: () => (peak as (n: number) => number)(peakRounds) as unknown as void };
}

async function benchKernel(c: KernelCase): Promise<{ readonly rows: readonly BenchRow[]; readonly line: readonly string[] }> {
  const shapes = shapesOf(c);
  const [x, w] = [shapes.x, shapes.w].map((shape, i) => centered(randomTensor({ shape, dtype: "float32" }, 3 + i))) as [Tensor, Tensor];
  const ours = await openOurs(c, w);
  // The planner may give the input's memory to something else once it was read: results are checked on the first run.
  ours.input.set(x.data as Float32Array);
  ours.run();
  const result = ours.output.slice();
  const peers = [await kernelOnOrtWeb(c, x, w), await kernelOnTfjs(c, x, w)];
  for (const p of peers) {
    const off = difference(result, await p.output());
    if (off > 1e-5) console.error(`${c.name}: ${p.name} gives something else, by ${figure(off)} of the largest value`);
  }
  const contestants: readonly Contestant[] = [{ name: "Verticil", run: () => ours.run() }, ...peers, peakContestant()];
  const timings = await interleave(contestants, { milliseconds: options.milliseconds, warmup: 8, minRounds: 10, maxRounds: 500, clock: options.clock });
  const [own, ...others] = timings;
  const peak = others.pop();
  if (own === undefined || peak === undefined) throw new Error("internal: a contestant without timing");
  const rate = (ms: number): number => flopsOf(c) / ms / 1e6;
  const peakRate = (peakRounds * PEAK_FLOPS) / peak.min / 1e6;
  const rows = others.map((t, i): BenchRow => ({
    name: c.name, threads: 1, ours_ms: own.min, ours_median_ms: own.median, peer: peers[i]?.name ?? "",
    peer_ms: t.min, peer_median_ms: t.median, ratio: t.min / own.min,
  }));
  const line = [
    c.name, figure(own.min), figure(rate(own.min)), `${Math.round((100 * rate(own.min)) / peakRate)} %`,
    ...others.flatMap((t) => [figure(rate(t.min)), `${(t.min / own.min).toFixed(2)}×`]),
  ];
  for (const p of peers) await p.close();
  return { rows, line };
}

function centered(t: Tensor): Tensor {
  return { ...t, data: (t.data as Float32Array).map((v) => v - 0.5) };
}

const rows: BenchRow[] = [];
const lines: (readonly string[])[] = [];
for (const c of kernelCases) {
  if (options.only !== undefined && !c.name.toLowerCase().includes(options.only.toLowerCase())) continue;
  const made = await benchKernel(c);
  console.error(made.line.join("  "));
  rows.push(...made.rows);
  lines.push(made.line);
}
const table = markdownTable(["kernel", "ms", "GFLOP/s", "of peak", "onnxruntime-web", "ratio", "tfjs-wasm", "ratio"], lines);
console.log(table);
writeJson(options, rows);
if (options.write) {
  const intro = `One thread, ${options.clock === "cpu" ? "processor time" : "time"}, minima; GFLOP/s of each, the share of the multiply-add peak measured in the same run, and how many times faster we are. Command: \`pnpm bench:kernels\`.`;
  const engine = `Node ${process.versions.node.split(".")[0] ?? ""}`;
  const code = usesRelaxedSimd() ? "Our code and the peak are those with relaxed SIMD." : "No relaxed SIMD here.";
  writeSection(`kernels, ${engine}`, `Kernels, ${engine}`, `${intro} ${code}\n\n${table}`);
}
process.exit();
