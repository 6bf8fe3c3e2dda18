import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "@verticil/compiler";
import { importOnnx } from "@verticil/onnx";
import { tensor, type Tensor } from "@verticil/runtime-ffi";
import { asFloat64 } from "../models/as-float64.ts";
import { runReference } from "../models/reference.ts";
import { onlyInput, webgpuModels } from "./models.ts";
import { softwareGpu } from "./software-gpu.ts";

const gpu = await softwareGpu();
const model = webgpuModels.find((m) => m.name === "blazeface-back");

/** The largest difference, and the root of the mean of their squares. */
function distance(actual: Tensor | undefined, expected: Tensor): { readonly worst: number; readonly rms: number } {
  let [worst, squares] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const d = Math.abs(Number(actual?.data[i]) - Number(expected.data[i]));
    worst = Math.max(worst, d);
    squares += d * d;
  }
  return { worst, rms: Math.sqrt(squares / expected.data.length) };
}

function largest({ data }: Tensor): number {
  return data instanceof Float64Array ? data.reduce((most, v) => Math.max(most, Math.abs(v)), 0) : NaN;
}

// The logits of a photo go up to thousands, where neighbouring float32 values are 5e-4 apart: an absolute bound of 1e-3
// between two float32 computations says which sums they did first. What each is worth shows beside float64.
test.skipIf(gpu === undefined || model?.path === undefined)("WebGPU rounds a photo's large logits no worse than onnxruntime does", async () => {
  const { path = "", real } = model ?? { real: () => Promise.reject(new Error("There is no model.")) };
  const bytes = readFileSync(path);
  const exact = await (await compile(importOnnx(asFloat64(bytes)), { target: "wasm" })).load();
  const webgpu = await (await compile(importOnnx(bytes), { target: "webgpu" })).load({ gpu });
  const input = onlyInput(webgpu);
  const photo = await real(input);
  const [expected, ours, theirs] = await Promise.all([
    exact.run({ [input.name]: tensor(Float64Array.from(photo.data as Float32Array), photo.shape) }),
    webgpu.run({ [input.name]: photo }),
    runReference(path, { [input.name]: photo }),
  ]);
  expect(Math.max(...Object.values(expected).map(largest))).toBeGreaterThan(4096);
  expect(Math.max(...Object.entries(expected).map(([name, t]) => distance(theirs[name], t).worst))).toBeGreaterThan(1e-3);
  for (const [name, t] of Object.entries(expected)) {
    expect(distance(ours[name], t).rms, name).toBeLessThan(3 * distance(theirs[name], t).rms);
  }
  exact.dispose();
  webgpu.dispose();
}, 240_000);
