import { defaultWebgpuTarget, type WebgpuTarget } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import * as te from "@verticil/te";
import { asInt, interpretPrimFunc, max, min, mul, sub, toExpr, visitStmt, type PrimFunc, type Stmt } from "@verticil/tir";
import { describe, expect, it } from "vitest";
import { gpuFallback, gpuInjective, gpuRules, gpuTile, type ScheduleRule } from "../index.ts";
import { groupFactors } from "./bind-threads.ts";

/** Runs a function on numbers made from a seed; gives what it writes to its last parameter. */
function evaluate(func: PrimFunc): readonly number[] {
  const shapes = func.params.map((p) => (func.bufferMap.get(p)?.shape ?? []).map((d) => asInt(d) ?? 0));
  const args = shapes.map((shape, i): Tensor => {
    if (i === shapes.length - 1) return zeros("float32", shape);
    return tensorFrom(Array.from({ length: elementCount(shape) }, (_, k) => ((k * 7 + i * 13) % 11) - 5), shape, "float32");
  });
  interpretPrimFunc(func, args);
  const out = args.at(-1) ?? zeros("float32", []);
  return Array.from({ length: elementCount(out.shape) }, (_, i) => Number(getElement(out, i)));
}

/** Schedules and checks that the numbers stay the same. */
function scheduled(rule: ScheduleRule, args: readonly te.Tensor[], target: WebgpuTarget = defaultWebgpuTarget): PrimFunc {
  const func = te.createPrimFunc(args);
  const result = rule.apply(func, target) ?? func;
  expect(result).not.toBe(func);
  const expected = evaluate(func);
  evaluate(result).forEach((x, i) => expect(x).toBeCloseTo(expected[i] ?? NaN, 3));
  return result;
}

/** The extents of the loops that are bound to an axis. */
function extentsOf(func: PrimFunc, axis: string): readonly number[] {
  const out: number[] = [];
  visitStmt(func.body, { stmt: (s: Stmt) => void (s.kind === "tir.For" && s.threadBinding?.threadTag === axis && out.push(asInt(s.extent) ?? NaN)) });
  return out;
}

function convolution(size: readonly [number, number], channels: readonly [number, number], groups = 1): readonly te.Tensor[] {
  const x = te.placeholder([1, ...size, channels[0]], "float32", "x");
  const k = te.placeholder([3, 3, channels[0] / groups, channels[1]], "float32", "k");
  const y = te.conv(x, k, { strides: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups, dataLayout: "NHWC", kernelLayout: "HWIO" });
  const bias = te.placeholder([1, 1, 1, channels[1]], "float32", "bias");
  const added = te.binaryOps["add"]?.(y, bias) ?? y;
  return [x, k, bias, te.multiply(added, te.sigmoid(added))];
}

describe("gpuTile", () => {
  it.each<[string, readonly [number, number], readonly [number, number], number]>([
    ["with room for rows", [16, 24], [3, 16], 1],
    ["of odd sizes", [5, 7], [3, 8], 1],
    ["with channels that are no vector", [4, 6], [2, 5], 1],
    ["depthwise", [6, 8], [8, 8], 8],
  ])("computes a convolution %s in one grid", (_, size, channels, groups) => {
    expect(extentsOf(scheduled(gpuTile, convolution(size, channels, groups)), "threadIdx.x")).toHaveLength(1);
  });

  it.each<[string, () => readonly te.Tensor[]]>([
    ["a batched product", () => {
      const a = te.placeholder([2, 8, 6], "float32", "a");
      const b = te.placeholder([2, 6, 16], "float32", "b");
      return [a, b, te.matmul(a, b)];
    }],
    ["a maximum pooling", () => {
      const x = te.placeholder([1, 6, 8, 8], "float32", "x");
      return [x, te.maxPool(x, { kernel: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceilMode: false, countIncludePad: false, layout: "NHWC" })];
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
    scheduled(gpuTile, make());
  });

  it("keeps the accumulators of a convolution in a local buffer of its tile", () => {
    const func = scheduled(gpuTile, convolution([32, 32], [1, 16]));
    const local: string[] = [];
    visitStmt(func.body, { buffer: (b) => void (b.data.typeAnnotation?.kind === "ir.PointerType" && b.data.typeAnnotation.storageScope === "local" && local.push(b.name)) });
    expect(new Set(local).size).toBe(1);
  });
});

describe("gpuInjective", () => {
  it("gives each vector of four neighbours a thread", () => {
    const x = te.placeholder([32, 24], "float32", "x");
    const func = scheduled(gpuInjective, [x, te.multiply(te.relu(x), te.sigmoid(x))]);
    const [groups = 0] = extentsOf(func, "blockIdx.x");
    const [threads = 0] = extentsOf(func, "threadIdx.x");
    expect(groups * threads).toBe((32 * 24) / 4);
  });

  it("computes sizes that no workgroup fills", () => {
    const x = te.placeholder([1, 211], "float32", "x");
    scheduled(gpuInjective, [x, te.relu(x)]);
  });

  it("uses no more threads than the target allows", () => {
    const x = te.placeholder([16, 16], "float32", "x");
    const func = scheduled(gpuInjective, [x, te.transpose(x, [1, 0])], { ...defaultWebgpuTarget, limits: { maxComputeInvocationsPerWorkgroup: 8 } });
    expect(Math.max(...extentsOf(func, "threadIdx.x"))).toBeLessThanOrEqual(8);
  });

  it("takes a second dimension of the grid where the first is full", () => {
    const x = te.placeholder([64, 64], "float32", "x");
    const limits = { maxComputeWorkgroupsPerDimension: 4 };
    const func = scheduled(gpuInjective, [x, te.transpose(x, [1, 0])], { ...defaultWebgpuTarget, limits });
    expect(extentsOf(func, "blockIdx.y").length).toBe(1);
    expect(Math.max(...extentsOf(func, "blockIdx.x"))).toBeLessThanOrEqual(4);
  });
});

describe("gpuFallback", () => {
  it("takes anything", () => {
    const x = te.placeholder([4, 9], "float32", "x");
    scheduled(gpuFallback, [x, te.softmax(x, 1)]);
  });
});

it("tries the rules from the special to the general", () => {
  expect(gpuRules.map((r) => r.name)).toEqual(["GpuTile", "GpuInjective", "GpuFallback"]);
});

it.each<[readonly number[], number, readonly number[] | undefined]>([
  [[208, 52, 4], 64, [4, 4, 4]],
  [[13, 13, 20], 64, [1, 13, 4]],
  [[1, 211], 64, undefined],
  [[3, 2], 64, [3, 2]],
])("fills workgroups of loops of %j with factors of each", (extents, most, expected) => {
  expect(groupFactors(extents, most)).toEqual(expected);
});

it("a chain of blocks that each read the one before several times does not become their product", () => {
  const x = te.placeholder([8], "float32", "x");
  let y = x;
  for (let i = 0; i < 16; i++) {
    const before = y;
    y = te.compute([8], (k) => max(min(before.at(k!), mul(before.at(k!), toExpr(0.5, "float32"))), sub(before.at(k!), toExpr(1, "float32"))), `step_${i}`);
  }
  const func = scheduled(gpuInjective, [x, y]);
  let reads = 0;
  visitStmt(func.body, { expr: (e) => void (reads += Number(e.kind === "tir.BufferLoad")) });
  // Three reads a step: inlined altogether they would be 3^16.
  expect(reads).toBeLessThan(2000);
  expect(extentsOf(func, "threadIdx.x").length).toBeLessThan(16);
});
