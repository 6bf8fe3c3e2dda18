import { randomTensor } from "@verticil/runtime-ffi";
import { expect, it } from "vitest";
import { modelBytes, node } from "../testing/onnx-model.ts";
import { runBoth } from "../testing/run-both.ts";

const cases = ["linear", "cubic", "nearest"].flatMap((mode) =>
  ["zeros", "border", "reflection"].flatMap((padding_mode) => [0, 1].flatMap((align_corners) => [0.5, 1, 2.5].map((range) => ({ mode, padding_mode, align_corners, range })))),
);

it.each(cases)("GridSample as onnxruntime has it: %o", async ({ mode, padding_mode, align_corners, range }) => {
  const x0 = randomTensor({ shape: [1, 2, 4, 5], dtype: "float32" }, 1);
  const grid = randomTensor({ shape: [1, 3, 4, 2], dtype: "float32" }, 2);
  // Around the middle, up to `range` times as far as the border.
  const x1 = { ...grid, data: Float32Array.from(grid.data as Float32Array, (v) => (2 * v - 1) * range) };
  const bytes = modelBytes({ nodes: [node("GridSample", ["x0", "x1"], ["y"], { mode, padding_mode, align_corners })], inputs: { x0: x0.shape, x1: x1.shape }, outputs: ["y"], opset: 20 });
  const { ours, theirs } = await runBoth(bytes, { x0, x1 });
  theirs[0]?.forEach((v, i) => expect(ours[0]?.[i]).toBeCloseTo(v, 4));
});

const volumes = ["linear", "nearest"].flatMap((mode) =>
  ["zeros", "border", "reflection"].flatMap((padding_mode) => [0, 1].flatMap((align_corners) => [1, 2.5].map((range) => ({ mode, padding_mode, align_corners, range })))),
);

it.each(volumes)("GridSample of a volume as onnxruntime has it: %o", async ({ mode, padding_mode, align_corners, range }) => {
  const x0 = randomTensor({ shape: [1, 2, 3, 4, 5], dtype: "float32" }, 1);
  const grid = randomTensor({ shape: [1, 2, 3, 2, 3], dtype: "float32" }, 2);
  const x1 = { ...grid, data: Float32Array.from(grid.data as Float32Array, (v) => (2 * v - 1) * range) };
  const bytes = modelBytes({ nodes: [node("GridSample", ["x0", "x1"], ["y"], { mode, padding_mode, align_corners })], inputs: { x0: x0.shape, x1: x1.shape }, outputs: ["y"], opset: 20 });
  const { ours, theirs } = await runBoth(bytes, { x0, x1 });
  theirs[0]?.forEach((v, i) => expect(ours[0]?.[i]).toBeCloseTo(v, 4));
});
