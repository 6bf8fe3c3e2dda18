import { defaultWasmTarget } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { asInt, interpretPrimFunc, visitStmt, type PrimFunc } from "@verticil/tir";
import { expect, it } from "vitest";
import { packOperand, registerTile } from "../index.ts";

function shapesOf(func: PrimFunc): readonly (readonly number[])[] {
  return func.params.map((p) => (func.bufferMap.get(p)?.shape ?? []).map((d) => asInt(d) ?? 0));
}

function numbers(shape: readonly number[], seed: number): readonly number[] {
  return Array.from({ length: elementCount(shape) }, (_, k) => ((k * 7 + seed * 13) % 11) - 5);
}

function run(func: PrimFunc, args: readonly Tensor[]): readonly number[] {
  const out = zeros("float32", shapesOf(func).at(-1)!);
  interpretPrimFunc(func, [...args, out]);
  return Array.from({ length: elementCount(out.shape) }, (_, i) => Number(getElement(out, i)));
}

/** The weight `[...][lane]` by hand as `[lane // tile][...][lane % tile]`; `lane` is the place of the lane index. */
function packed(shape: readonly number[], lane: number, values: readonly number[], tile: number): Tensor {
  const n = shape[lane]!;
  const inner = elementCount(shape.slice(lane + 1));
  const others = elementCount(shape) / n;
  const out = new Array<number>(Math.ceil(n / tile) * others * tile).fill(0);
  values.forEach((x, i) => {
    const o = Math.floor(i / inner) % n;
    const rest = Math.floor(i / (inner * n)) * inner + (i % inner);
    out[(Math.floor(o / tile) * others + rest) * tile + (o % tile)] = x;
  });
  const dims = shape.filter((_, d) => d !== lane);
  return tensorFrom(out, [Math.ceil(n / tile), ...dims, tile], "float32");
}

function convolution(outChannels: number, kernelLayout: string, groups = 1): readonly te.Tensor[] {
  const x = te.placeholder([1, 5, 7, 8], "float32", "x");
  const sizes: Record<string, number> = { H: 3, W: 3, I: 8 / groups, O: outChannels };
  const k = te.placeholder([...kernelLayout].map((a) => sizes[a]!), "float32", "k");
  return [x, k, te.conv(x, k, { strides: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups, dataLayout: "NHWC", kernelLayout })];
}

function product(rows: number, columns: number): readonly te.Tensor[] {
  const a = te.placeholder([rows, 5], "float32", "a");
  const b = te.placeholder([5, columns], "float32", "b");
  return [a, b, te.matmul(a, b)];
}

it.each<[string, () => readonly te.Tensor[], number, readonly number[]]>([
  ["a convolution", () => convolution(16, "HWIO"), 3, [2, 3, 3, 8, 8]],
  ["channels that are no multiple of eight", () => convolution(12, "HWIO"), 3, [2, 3, 3, 8, 8]],
  ["a product", () => product(6, 16), 1, [2, 5, 8]],
  ["a product with a vector", () => product(1, 72), 1, [3, 5, 32]],
])("stores the weight of %s in tiles, and computes the same", (_, make, lane, shape) => {
  const func = te.createPrimFunc(make());
  const packing = packOperand(func)!;
  expect(packing.param).toBe(1);
  expect(shapesOf(packing.func)[1]).toEqual(shape);
  const [xs = [], ws = []] = shapesOf(func);
  const x = tensorFrom(numbers(xs, 0), xs, "float32");
  const expected = run(func, [x, tensorFrom(numbers(ws, 1), ws, "float32")]);
  const weight = packed(ws, lane, numbers(ws, 1), shape.at(-1)!);
  expect(run(packing.func, [x, weight])).toEqual(expected);
  const scheduled = registerTile.apply(packing.func, defaultWasmTarget)!;
  expect(run(scheduled, [x, weight])).toEqual(expected);
});

it("vectors run along the lanes of the packed weight", () => {
  const { func } = packOperand(te.createPrimFunc(convolution(16, "HWIO")))!;
  const scheduled = registerTile.apply(func, defaultWasmTarget)!;
  const kinds: string[] = [];
  visitStmt(scheduled.body, { stmt: (s) => void (s.kind === "tir.For" && kinds.push(s.forKind)) });
  expect(kinds).toContain("vectorized");
});

it.each<[string, () => readonly te.Tensor[]]>([
  ["a depthwise convolution, whose weight serves one channel", () => convolution(8, "HWIO", 8)],
  ["fewer than eight results", () => convolution(4, "HWIO")],
  ["a product with a vector with fewer results than a tile", () => product(1, 16)],
  ["an operand that is no parameter", () => {
    const a = te.placeholder([6, 5], "float32", "a");
    const b = te.placeholder([5, 16], "float32", "b");
    return [a, b, te.matmul(a, te.relu(b))];
  }],
])("leaves %s", (_, make) => {
  expect(packOperand(te.createPrimFunc(make()))).toBeUndefined();
});

it("stores pairs of the reduction side by side where words are summed up in 32 bits, and multiplies by pairs", () => {
  const x = te.placeholder([6, 10], "int16", "x");
  const w = te.placeholder([10, 16], "int8", "w");
  const func = te.createPrimFunc([x, w, te.matmul(x, w, "int32")]);
  const packing = packOperand(func)!;
  expect(shapesOf(packing.func)[1]).toEqual([2, 5, 8, 2]);
  const [a, b] = [numbers([6, 10], 0), numbers([10, 16], 1)];
  const pairs = numbers([10, 16], 1).map((_, i) => {
    const [tile, rest] = [Math.floor(i / 80), i % 80];
    const [k, lane] = [Math.floor(rest / 16) * 2 + (rest % 2), tile * 8 + Math.floor((rest % 16) / 2)];
    return b[k * 16 + lane]!;
  });
  const want = Array.from({ length: 96 }, (_, i) => b.slice(0, 10).reduce((sum, _v, k) => sum + a[Math.floor(i / 16) * 10 + k]! * b[k * 16 + (i % 16)]!, 0));
  const scheduled = registerTile.apply(packing.func, defaultWasmTarget)!;
  for (const f of [packing.func, scheduled]) {
    const out = zeros("int32", [6, 16]);
    interpretPrimFunc(f, [tensorFrom(a, [6, 10], "int16"), tensorFrom(pairs, [2, 5, 8, 2], "int8"), out]);
    expect(Array.from(out.data, Number)).toEqual(want);
  }
});

it.each<[string, number, "int16" | "float32"]>([["an odd number of products", 9, "int16"], ["floats", 10, "float32"]])("has no pairs of %s", (_, k, dtype) => {
  const x = te.placeholder([6, k], dtype, "x");
  const w = te.placeholder([k, 16], dtype, "w");
  const func = te.createPrimFunc([x, w, te.matmul(x, w, dtype === "int16" ? "int32" : undefined)]);
  expect(shapesOf(packOperand(func)!.func)[1]).toEqual([2, k, 8]);
});

it("the weights of a batch are packed one after the other", () => {
  const a = te.placeholder([3, 6, 5], "float32", "a");
  const b = te.placeholder([3, 5, 16], "float32", "b");
  const func = te.createPrimFunc([a, b, te.matmul(a, b)]);
  const packing = packOperand(func)!;
  expect(shapesOf(packing.func)[1]).toEqual([3, 2, 5, 8]);
  const [x, w] = [numbers([3, 6, 5], 0), numbers([3, 5, 16], 1)];
  const each = [0, 1, 2].flatMap((n) => {
    const one = packed([5, 16], 1, w.slice(n * 80, (n + 1) * 80), 8);
    return Array.from({ length: 80 }, (_, i) => Number(getElement(one, i)));
  });
  const expected = run(func, [tensorFrom(x, [3, 6, 5], "float32"), tensorFrom(w, [3, 5, 16], "float32")]);
  const scheduled = registerTile.apply(packing.func, defaultWasmTarget)!;
  expect(run(scheduled, [tensorFrom(x, [3, 6, 5], "float32"), tensorFrom(each, [3, 2, 5, 8], "float32")])).toEqual(expected);
});
