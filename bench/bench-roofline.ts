import { profileKernels, type KernelProfile } from "@verticil/compiler";
import { usesRelaxedSimd } from "@verticil/runtime-ffi";
import { importOnnx } from "@verticil/onnx";
import { PEAK_FLOPS, peakModule } from "../packages/target-wasm/bench/peak.ts";
import { figure, markdownTable } from "./bench-row.ts";
import { benchModels } from "./model-list.ts";
import { benchOptions, writeJson } from "./options.ts";
import { writeSection } from "./performance-page.ts";

// Each kernel of a model beside the two limits of the machine: multiply-adds, and bytes from and to the nearest memory that
// holds a kernel's operands. What comes near neither is explained on the page, by hand.
const options = benchOptions("bench:roofline", "Times each kernel of a model (YOLOX-nano unless --only) beside the machine's peaks of multiply-adds and of copied memory.", 1500);
const peakRounds = 20_000;

/** GFLOP/s of multiply-adds in registers. */
function peakRate(): number {
  const { peak } = new WebAssembly.Instance(new WebAssembly.Module(peakModule({ relaxed: usesRelaxedSimd() })), { env: { memory: new WebAssembly.Memory({ initial: 1 }) } }).exports;
  const best = minimum(40, () => (peak as (n: number) => number)(peakRounds));
  return (peakRounds * PEAK_FLOPS) / best / 1e6;
}

/** GB/s, read and written, of a copy of 1 MiB. */
function copyRate(): number {
  const bytes = 2 ** 20;
  const [from, to] = [new Uint8Array(bytes).fill(1), new Uint8Array(bytes)];
  return (2 * bytes) / minimum(200, () => to.set(from)) / 1e6;
}

function minimum(rounds: number, run: () => unknown): number {
  let best = Infinity;
  for (let i = 0; i < rounds; i++) {
    const started = performance.now();
    run();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

const wanted = (options.only ?? "YOLOX-nano").toLowerCase();
const model = benchModels().find((m) => m.name.toLowerCase().includes(wanted));
if (model === undefined) throw new Error(`no model is called \`${wanted}\``);
const before = { peak: peakRate(), copy: copyRate() };
const kernels = await profileKernels(importOnnx(await model.bytes(), { dims: model.dims ?? {} }));
// The machine's clock moves: the peaks are those of the better of two moments.
const peak = Math.max(before.peak, peakRate());
const copy = Math.max(before.copy, copyRate());
const total = kernels.reduce((sum, k) => sum + k.milliseconds, 0);
const rate = (amount: number, k: KernelProfile): number => amount / k.milliseconds / 1e6;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const table = markdownTable(
  ["kernel", "calls", "ms", "of the model", "GFLOP/s", "of peak", "MB", "GB/s", "of copying"],
  kernels.map((k) => [
    `\`${k.name}\``, String(k.calls), figure(k.milliseconds), percent(k.milliseconds / total),
    figure(rate(k.flops, k)), percent(rate(k.flops, k) / peak), figure(k.bytes / 1e6), figure(rate(k.bytes, k)), percent(rate(k.bytes, k) / copy),
  ]),
);
console.log(table);
writeJson(options, kernels);
if (options.write) {
  const code = usesRelaxedSimd() ? "Code and peak are those with relaxed SIMD." : "No relaxed SIMD here.";
  const intro = `The kernels of ${model.name}, ${figure(total)} ms in all, each timed where it runs, minima of 30. The peaks of the same run: ${figure(peak)} GFLOP/s of multiply-adds in registers, ${figure(copy)} GB/s for a copy of 1 MiB, read and written. ${code} A sigmoid counts as its few operations in the graph, not as the instructions that it takes. Command: \`pnpm bench:roofline\`.`;
  writeSection("roofline", `Roofline of ${model.name}`, `${intro}\n\n${table}`);
}
