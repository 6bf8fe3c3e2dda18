import { defaultWasmTarget } from "@verticil/ir-core";
import { elementCount, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { asInt, interpretPrimFunc, type PrimFunc } from "@verticil/tir";
import { expect, it } from "vitest";
import { registerTile } from "./rules.ts";

interface Case {
  readonly side?: number;
  readonly channels?: number;
  readonly kernel?: number;
  readonly depthwise?: boolean;
  readonly dtype?: "float32" | "int32";
}

function convolution({ side = 40, channels = 4, kernel = 3, depthwise = true, dtype = "float32" }: Case = {}): PrimFunc {
  const x = te.placeholder([1, side - kernel + 1, side - kernel + 1, channels], dtype, "x");
  const w = te.placeholder([kernel, kernel, depthwise ? 1 : channels, channels], dtype, "w");
  const p = (kernel - 1) / 2;
  return te.createPrimFunc([x, w, te.conv(x, w, { strides: [1, 1], padding: [p, p, p, p], dilation: [1, 1], groups: depthwise ? channels : 1, dataLayout: "NHWC", kernelLayout: "HWIO" })]);
}

function scheduled(func: PrimFunc): PrimFunc {
  const made = registerTile.apply(func, defaultWasmTarget);
  expect(made).toBeDefined();
  return made ?? func;
}

/** True if no block makes a padded copy. */
function isInlined(func: PrimFunc): boolean {
  const { body } = func;
  if (body.kind !== "tir.BlockRealize") throw new Error("internal: the function has a root block");
  return !body.block.allocBuffers.some((b) => b.name.startsWith("pad"));
}

function result(func: PrimFunc): readonly number[] {
  const tensors = func.params.map((param, k): Tensor => {
    const shape = (func.bufferMap.get(param)?.shape ?? []).map((d) => asInt(d) ?? 1);
    return k === 2 ? zeros("float32", shape) : tensorFrom(Array.from({ length: elementCount(shape) }, (_, i) => ((i * 7 + k * 3) % 11) - 4), shape, "float32");
  });
  interpretPrimFunc(func, tensors);
  return Array.from(tensors[2]?.data as Float32Array);
}

it("reads a large image under a test for its borders, with the same result", () => {
  const func = convolution();
  const made = scheduled(func);
  expect(isInlined(made)).toBe(true);
  expect(result(made)).toEqual(result(func));
});

it.each([
  ["a small image", { side: 39 }],
  ["channels that fill no vectors", { channels: 6 }],
  ["windows that are not written out", { kernel: 5 }],
  ["windows of many channels", { depthwise: false }],
  ["integers", { dtype: "int32" }],
] satisfies readonly (readonly [string, Case])[])("copies %s", (_, c) => {
  expect(isInlined(scheduled(convolution(c)))).toBe(false);
});
