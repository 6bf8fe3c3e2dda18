import { defaultWasmTarget } from "@verticil/ir-core";
import { elementCount, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { add, asInt, constant, interpretPrimFunc, visitStmt, type For, type PrimFunc } from "@verticil/tir";
import { expect, it } from "vitest";
import { registerTile } from "./rules.ts";

/** A 1×1 convolution to 24 channels, and a residual of `channels` that is padded to as many. */
function withResidual(channels: number): PrimFunc {
  const x = te.placeholder([1, 4, 4, 8], "float32", "x");
  const k = te.placeholder([1, 1, 8, 24], "float32", "k");
  const r = te.placeholder([1, 4, 4, channels], "float32", "r");
  const y = te.conv(x, k, { strides: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, dataLayout: "NHWC", kernelLayout: "HWIO" });
  const none = [0, 0, 0, 0].map((n) => constant(n, "int64"));
  const padded = te.pad(r, none, [0, 0, 0, 24 - channels].map((n) => constant(n, "int64")));
  return te.createPrimFunc([x, k, r, te.compute([1, 4, 4, 24], (...i) => add(y.at(...i), padded.at(...i)), "sum")]);
}

function scheduled(func: PrimFunc): PrimFunc {
  const made = registerTile.apply(func, defaultWasmTarget);
  expect(made).toBeDefined();
  return made ?? func;
}

function result(func: PrimFunc): readonly number[] {
  const tensors = func.params.map((param, k): Tensor => {
    const shape = (func.bufferMap.get(param)?.shape ?? []).map((d) => asInt(d) ?? 1);
    return k === 3 ? zeros("float32", shape) : tensorFrom(Array.from({ length: elementCount(shape) }, (_, i) => ((i * 7 + k * 3) % 11) - 4), shape, "float32");
  });
  interpretPrimFunc(func, tensors);
  return Array.from(tensors[3]?.data as Float32Array);
}

/** Loops that are vectors; a tile has three: of zeros, of products and of what is carried out. */
function vectors(func: PrimFunc): readonly For[] {
  const out: For[] = [];
  visitStmt(func.body, { stmt: (s) => void (s.kind === "tir.For" && s.forKind === "vectorized" && out.push(s)) });
  return out;
}

it.each([8, 12, 20])("adds a residual of %s channels, padded with zeros, in vectors", (channels) => {
  const func = withResidual(channels);
  const made = scheduled(func);
  expect(vectors(made)).toHaveLength(3);
  expect(result(made)).toEqual(result(func));
});

it("adds a residual whose channels end within a vector one by one", () => {
  const func = withResidual(10);
  const made = scheduled(func);
  expect(vectors(made)).toHaveLength(2);
  expect(result(made)).toEqual(result(func));
});
