import { defaultWasmTarget } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { asInt, interpretPrimFunc, max, min, mul, sub, toExpr, visitStmt, type For, type PrimFunc, type Stmt } from "@verticil/tir";
import { describe, expect, it } from "vitest";
import { injective, registerTile, type ScheduleRule } from "../index.ts";

/** Runs a function on numbers made from a seed; gives what it writes to its last parameter. */
function evaluate(func: PrimFunc): readonly number[] {
  const shapes = func.params.map((p) => (func.bufferMap.get(p)?.shape ?? []).map((d) => asInt(d) ?? 0));
  const args = shapes.map((shape, i): Tensor => {
    if (i === shapes.length - 1) return zeros("float32", shape);
    return tensorFrom(Array.from({ length: elementCount(shape) }, (_, k) => ((k * 7 + i * 13) % 11) - 5), shape, "float32");
  });
  interpretPrimFunc(func, args);
  const out = args[args.length - 1]!;
  return Array.from({ length: elementCount(out.shape) }, (_, i) => Number(getElement(out, i)));
}

/** Schedules and checks that the numbers stay the same. */
function scheduled(rule: ScheduleRule, args: readonly te.Tensor[]): PrimFunc {
  const func = te.createPrimFunc(args);
  const result = rule.apply(func, defaultWasmTarget);
  expect(result).toBeDefined();
  const expected = evaluate(func);
  evaluate(result!).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 3));
  return result!;
}

function loopsOf(func: PrimFunc): readonly For[] {
  const out: For[] = [];
  visitStmt(func.body, { stmt: (s: Stmt) => void (s.kind === "tir.For" && out.push(s)) });
  return out;
}

function countKind(func: PrimFunc, kind: For["forKind"]): number {
  return loopsOf(func).filter((l) => l.forKind === kind).length;
}

interface ConvCase {
  readonly size?: readonly [number, number];
  readonly inChannels?: number;
  readonly outChannels?: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly pad?: number;
  readonly groups?: number;
  readonly layouts?: readonly [string, string];
}

function convolution(c: ConvCase, epilogue = true): readonly te.Tensor[] {
  const { size: [h, w] = [6, 8], inChannels = 4, outChannels = 8, kernel = 3, stride = 1, dilation = 1, pad = 1, groups = 1 } = c;
  const [dataLayout, kernelLayout] = c.layouts ?? ["NHWC", "HWIO"];
  const sizes: Record<string, number> = { N: 1, H: h, W: w, C: inChannels };
  const x = te.placeholder([...dataLayout].map((a) => sizes[a]!), "float32", "x");
  const kernelSizes: Record<string, number> = { H: kernel, W: kernel, I: inChannels / groups, O: outChannels };
  const k = te.placeholder([...kernelLayout].map((a) => kernelSizes[a]!), "float32", "k");
  const y = te.conv(x, k, { strides: [stride, stride], padding: [pad, pad, pad, pad], dilation: [dilation, dilation], groups, dataLayout, kernelLayout });
  if (!epilogue) return [x, k, y];
  const bias = te.placeholder([...dataLayout].map((a) => (a === "C" ? outChannels : 1)), "float32", "bias");
  const added = te.binaryOps["add"]!(y, bias);
  return [x, k, bias, te.multiply(added, te.sigmoid(added))];
}

function matmulThen(epilogue: (product: te.Tensor) => te.Tensor): readonly te.Tensor[] {
  const a = te.placeholder([3, 6], "float32", "a");
  const b = te.placeholder([6, 6], "float32", "b");
  return [a, b, epilogue(te.matmul(a, b))];
}

describe("registerTile", () => {
  it.each<[string, ConvCase]>([
    ["3×3", {}],
    ["1×1", { kernel: 1, pad: 0 }],
    ["strided", { stride: 2, size: [9, 16] }],
    ["dilated", { dilation: 2, pad: 2 }],
    ["with a row that is no multiple of four", { size: [3, 13] }],
    ["with channels that are no multiple of eight", { outChannels: 15 }],
    ["with four channels", { outChannels: 4 }],
    ["with one channel", { outChannels: 1 }],
    ["with one pixel a row", { size: [3, 1], outChannels: 20 }],
    ["depthwise", { inChannels: 8, outChannels: 8, groups: 8 }],
    ["depthwise, odd channels", { inChannels: 6, outChannels: 6, groups: 6, size: [4, 7] }],
    ["grouped", { inChannels: 8, outChannels: 16, groups: 2 }],
    ["in NCHW", { layouts: ["NCHW", "OIHW"] }],
    ["with a large weight", { inChannels: 64, outChannels: 24, size: [2, 4] }],
  ])("computes a convolution %s", (_, c) => {
    const func = scheduled(registerTile, convolution(c));
    expect(countKind(func, "unrolled")).toBeGreaterThan(0);
  });

  it("computes a convolution without an epilogue", () => {
    scheduled(registerTile, convolution({}, false));
  });

  it("keeps the accumulators of a convolution in a local buffer under rolled reduction loops", () => {
    const func = scheduled(registerTile, convolution({ kernel: 3 }));
    const serial = loopsOf(func).filter((l) => l.forKind === "serial").map((l) => l.loopVar.name);
    // Where a row of the window and its channels lie one after the other they are one loop.
    expect(serial).toEqual(expect.arrayContaining(["ry", "rx_rc_fused"]));
  });

  it("walks the columns and the channels of a dilated window apart", () => {
    const func = scheduled(registerTile, convolution({ kernel: 3, dilation: 2, pad: 2 }));
    const serial = loopsOf(func).filter((l) => l.forKind === "serial").map((l) => l.loopVar.name);
    expect(serial).toEqual(expect.arrayContaining(["ry", "rx", "rc"]));
  });

  it("writes a small window out where each channel has its own", () => {
    const func = scheduled(registerTile, convolution({ inChannels: 8, outChannels: 8, groups: 8 }));
    const unrolled = loopsOf(func).filter((l) => l.forKind === "unrolled").map((l) => l.loopVar.name);
    expect(unrolled).toEqual(expect.arrayContaining(["ry", "rx"]));
  });

  it.each([[3, 4], [5, 8]])("takes of a window of side %i a tile of %i pixels", (kernel, tile) => {
    const func = scheduled(registerTile, convolution({ inChannels: 4, outChannels: 4, groups: 4, kernel, pad: (kernel - 1) / 2, size: [3, 16] }));
    const pixels = loopsOf(func).filter((l) => l.forKind === "unrolled" && l.loopVar.name === "xx_1").map((l) => asInt(l.extent));
    expect(pixels).toEqual([tile]);
  });

  it.each([
    ["writes the rows of a larger window out", 5, { serial: ["ry"], unrolled: ["rx"] }],
    ["keeps a large window in loops", 11, { serial: ["ry", "rx"], unrolled: [] }],
  ])("%s", (_, kernel, expected) => {
    const func = scheduled(registerTile, convolution({ inChannels: 8, outChannels: 8, groups: 8, kernel, pad: (kernel - 1) / 2 }));
    const window = (forKind: For["forKind"]): readonly string[] =>
      [...new Set(loopsOf(func).filter((l) => l.forKind === forKind && /^r[yx]$/.test(l.loopVar.name)).map((l) => l.loopVar.name))];
    expect({ serial: window("serial"), unrolled: window("unrolled") }).toEqual(expected);
  });

  it.each<[string, () => readonly te.Tensor[]]>([
    ["a product of matrices", () => {
      const a = te.placeholder([5, 12], "float32", "a");
      const b = te.placeholder([12, 20], "float32", "b");
      return [a, b, te.matmul(a, b)];
    }],
    ["a batched product", () => {
      const a = te.placeholder([2, 8, 6], "float32", "a");
      const b = te.placeholder([2, 6, 16], "float32", "b");
      return [a, b, te.matmul(a, b)];
    }],
    ["a product with a vector", () => {
      const a = te.placeholder([1, 12], "float32", "a");
      const b = te.placeholder([12, 33], "float32", "b");
      return [a, b, te.matmul(a, b)];
    }],
    ["a maximum pooling", () => {
      const x = te.placeholder([1, 6, 8, 8], "float32", "x");
      return [x, te.maxPool(x, { kernel: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceilMode: false, countIncludePad: false, layout: "NHWC" })];
    }],
    ["a global average", () => {
      const x = te.placeholder([1, 3, 3, 20], "float32", "x");
      return [x, te.adaptiveAvgPool(x, [te.extent(1), te.extent(1)], "NHWC")];
    }],
    ["a softmax", () => {
      const x = te.placeholder([3, 10], "float32", "x");
      return [x, te.softmax(x, 1)];
    }],
    ["a sum of everything", () => {
      const x = te.placeholder([3, 10], "float32", "x");
      return [x, te.sumOf(x, [0, 1], false)];
    }],
    ["a layer norm", () => {
      const x = te.placeholder([2, 3, 8], "float32", "x");
      const g = te.placeholder([8], "float32", "g");
      const b = te.placeholder([8], "float32", "b");
      return [x, g, b, te.layerNorm(x, g, b, [2], 1e-5)];
    }],
  ])("computes %s", (_, make) => {
    scheduled(registerTile, make());
  });

  it.each<[string, number, readonly (readonly [string, number])[]]>([
    ["of a small operand for each tile of lanes", 64, [["i1_0", 32], ["i0_0", 16]]],
    ["of a large one a block at a time", 512, [["i0_0_0", 8], ["i1_0", 32], ["i0_0_1", 16]]],
    ["of a large one that has no even block for each tile of lanes", 508, [["i1_0", 32], ["i0_0", 127]]],
  ])("walks the rows %s", (_, rows, expected) => {
    const a = te.placeholder([rows, 256], "float32", "a");
    const b = te.placeholder([256, 256], "float32", "b");
    const func = registerTile.apply(te.createPrimFunc([a, b, te.matmul(a, b)]), defaultWasmTarget);
    const outer = func === undefined ? [] : loopsOf(func).filter((l) => /^i\d_0(_\d)?$/.test(l.loopVar.name));
    expect(outer.map((l) => [l.loopVar.name, asInt(l.extent)])).toEqual(expected);
  });

  it("divides two sums after the later one", () => {
    const [x, w] = [te.placeholder([3, 5], "float32", "x"), te.placeholder([3, 5], "float32", "w")];
    scheduled(registerTile, [x, w, te.binaryOps.divide!(te.sumOf(x, [0, 1], false), te.sumOf(te.multiply(w, w), [0, 1], false))]);
  });

  it.each<[string, (product: te.Tensor) => te.Tensor]>([
    ["a slice of the columns", (p) => te.compute([3, 5], (i, j) => p.at(i, j))],
    ["a slice of the rows", (p) => te.compute([2, 6], (i, j) => p.at(i, j))],
    ["one row", (p) => te.compute([1, 6], (_, j) => p.at(0, j))],
  ])("keeps the numbers where the epilogue reads %s", (_, epilogue) => {
    scheduled(registerTile, matmulThen(epilogue));
  });
});

describe("injective", () => {
  it.each<[string, readonly number[], number]>([
    ["in vectors", [2, 8], 1],
    ["with a tail", [2, 10], 1],
    ["too narrow for a vector", [5, 3], 0],
  ])("computes an element-wise chain %s", (_, shape, vectors) => {
    const x = te.placeholder(shape, "float32", "x");
    const y = te.multiply(te.relu(x), te.sigmoid(x));
    expect(countKind(scheduled(injective, [x, y]), "vectorized")).toBe(vectors);
  });

  it("keeps a transposition scalar", () => {
    const x = te.placeholder([4, 8], "float32", "x");
    expect(countKind(scheduled(injective, [x, te.transpose(x, [1, 0])]), "vectorized")).toBe(0);
  });

  it("vectorizes a concatenation of channels", () => {
    const a = te.placeholder([2, 8], "float32", "a");
    const b = te.placeholder([2, 4], "float32", "b");
    scheduled(injective, [a, b, te.concatenate([a, b], 1)]);
  });

  it("writes each row of a concatenation of few channels once, not once for each part", () => {
    const parts = [2, 3, 1].map((n, i) => te.placeholder([5, n], "float32", `x${i}`));
    const func = scheduled(injective, [...parts, te.concatenate(parts, 1)]);
    expect(loopsOf(func).map((l) => [l.forKind, asInt(l.extent)])).toEqual([["parallel", 5], ["unrolled", 6]]);
  });
});

it("an operand that is small within a batch is walked for every tile of rows", () => {
  const a = te.placeholder([40, 8, 32], "float32", "a");
  const b = te.placeholder([40, 32, 24], "float32", "b");
  const func = registerTile.apply(te.createPrimFunc([a, b, te.matmul(a, b)]), defaultWasmTarget)!;
  const outer = loopsOf(func).slice(0, 3).map((l) => asInt(l.extent));
  expect(outer).toEqual([40, 2, 3]);
});

it("a chain of blocks that each read the one before several times does not become their product", () => {
  const x = te.placeholder([8], "float32", "x");
  let y = x;
  for (let i = 0; i < 16; i++) {
    const before = y;
    y = te.compute([8], (k) => max(min(before.at(k!), mul(before.at(k!), toExpr(0.5, "float32"))), sub(before.at(k!), toExpr(1, "float32"))), `step_${i}`);
  }
  const func = scheduled(injective, [x, y]);
  let reads = 0;
  visitStmt(func.body, { expr: (e) => void (reads += Number(e.kind === "tir.BufferLoad")) });
  // Three reads a step: inlined altogether they would be 3^16.
  expect(reads).toBeLessThan(2000);
  expect(loopsOf(func).length).toBeLessThan(2 * 16);
});
