import { interpretRelax } from "@verticil/relax";
import { getElement, randomTensor } from "@verticil/runtime-ffi";
import { expect, test } from "vitest";
import { importOnnx } from "../import-onnx.ts";
import { interpretable } from "../testing/interpretable.ts";
import { modelBytes, node } from "../testing/onnx-model.ts";

// onnxruntime steps through complex signals by halves of their numbers, so that this is held to the definition.
test("STFT of complex numbers sums each frame's turned numbers", () => {
  const x = randomTensor({ shape: [1, 9, 2], dtype: "float32" }, 1);
  const window = [0.2, 1, 0.5];
  const bytes = modelBytes({
    nodes: [node("STFT", ["x", "step", "window"], ["y"], { onesided: 0 })],
    inputs: { x: [1, 9, 2] },
    outputs: ["y"],
    initializers: { step: { dims: [], ints: [2] }, window: { dims: [3], floats: window } },
  });
  const part = (n: number, i: number): number => Number(getElement(x, 2 * n + i));
  const expected = [0, 1, 2, 3].flatMap((frame) => [0, 1, 2].flatMap((k) => {
    const turns = window.map((w, n) => ({ w, angle: (-2 * Math.PI * k * n) / 3, re: part(2 * frame + n, 0), im: part(2 * frame + n, 1) }));
    return [turns.reduce((sum, t) => sum + t.w * (t.re * Math.cos(t.angle) - t.im * Math.sin(t.angle)), 0), turns.reduce((sum, t) => sum + t.w * (t.re * Math.sin(t.angle) + t.im * Math.cos(t.angle)), 0)];
  }));
  const y = interpretRelax(interpretable(importOnnx(bytes)), [x]);
  if (typeof y !== "object" || !("dtype" in y)) throw new Error("one tensor is expected");
  expect(y.shape).toEqual([1, 4, 3, 2]);
  expected.forEach((v, i) => expect(Number(getElement(y, i))).toBeCloseTo(v, 5));
});
