import { defaultWasmTarget } from "@verticil/ir-core";
import { buildWasm } from "../src/index.ts";
import { conv3x3, matmul, moduleOf } from "./kernels.ts";
import { PEAK_FLOPS, peakModule } from "./peak.ts";

// Speed of generated kernels beside the machine's peak, measured in turns in one process. Run with
// `node --conditions=@verticil/source --experimental-transform-types packages/target-wasm/bench/run.ts`, or through tsx.

type Kernel = (...args: number[]) => void;

const memory = new WebAssembly.Memory({ initial: 2048 });

function load(bytes: Uint8Array<ArrayBuffer>, name: string): Kernel {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports[name] as unknown as Kernel;
}

const data = new Float32Array(memory.buffer);
for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1000) / 1000 - 0.5;

const MIB = 2 ** 20;
const cases: { name: string; flops: number; run: () => void; best: number }[] = [];
const peak = load(peakModule(), "peak");
cases.push({ name: "peak loop", flops: 2e6 * PEAK_FLOPS, run: () => peak(2e6), best: Infinity });
for (const packed of [true, false]) {
  const f = load(buildWasm(moduleOf(matmul(512, packed)), defaultWasmTarget).bytes, "matmul");
  cases.push({ name: `matmul 512 4x8${packed ? " packed" : ""}`, flops: 2 * 512 ** 3, run: () => f(MIB, 8 * MIB, 16 * MIB), best: Infinity });
  const g = load(buildWasm(moduleOf(conv3x3(56, 64, 64, packed)), defaultWasmTarget).bytes, "conv3x3");
  cases.push({ name: `conv 3x3 64@56${packed ? " packed" : ""}`, flops: 2 * 56 * 56 * 64 * 64 * 9, run: () => g(MIB, 8 * MIB, 16 * MIB), best: Infinity });
}
for (let round = 0; round < 30; round++) {
  for (const c of cases) {
    const start = performance.now();
    c.run();
    c.best = Math.min(c.best, performance.now() - start);
  }
}
const gflops = (c: { flops: number; best: number }): number => c.flops / c.best / 1e6;
const top = Math.max(...cases.slice(0, 1).map(gflops));
for (const c of cases) {
  process.stdout.write(`${c.name.padEnd(24)} ${c.best.toFixed(2).padStart(8)} ms ${gflops(c).toFixed(1).padStart(7)} GFLOP/s ${(gflops(c) / top).toFixed(2).padStart(6)} of peak\n`);
}
