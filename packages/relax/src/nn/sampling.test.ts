import { contextEntry, irDialect, passContext, runPass } from "@verticil/ir-core";
import { getElement, isTensor, tensorFrom, type ScalarDType, type Tensor as TensorData } from "@verticil/runtime-ffi";
import { tir } from "@verticil/tir";
import { expect, it } from "vitest";
import { opRegistryKey } from "../ir/op-def.ts";
import { relaxOps } from "../op/index.ts";
import { legalizeTable } from "../op/legalize/index.ts";
import { relax } from "../script/relax-script.ts";
import { legalizeOps, legalizeTableKey } from "../transform/legalize-ops.ts";
import { interpretRelax } from "../vm/interpret-relax.ts";
import { exportModule, Module, multinomialFromUniform, renormalizeTopPTopKProb, sampleTopPTopKFromSortedProb, spec, type Tensor } from "./index.ts";

const ctx = passContext({ dialects: [irDialect, tir, relax], entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable)] });

/** What a computation gives for tensors, element by element. */
function computed(args: readonly TensorData[], forward: (...tensors: readonly Tensor[]) => Tensor): readonly number[] {
  class Computed extends Module {
    forward(...tensors: readonly Tensor[]): Tensor {
      return forward(...tensors);
    }
  }
  const { module } = exportModule(new Computed(), { forward: { args: Object.fromEntries(args.map((a, i) => [`x${i}`, spec.tensor(a.shape, a.dtype)])) } });
  const out = interpretRelax(runPass(legalizeOps(), module, ctx), args, { entry: "forward" });
  return isTensor(out) ? Array.from({ length: out.data.length }, (_, i) => Number(getElement(out, i))) : [];
}

const matrix = (rows: readonly (readonly number[])[], dtype: ScalarDType = "float32"): TensorData => tensorFrom(rows.flat(), [rows.length, rows[0]?.length ?? 0], dtype);

const sorted = matrix([[0.5, 0.4, 0.1], [0.4, 0.3, 0.3]]);
const places = matrix([[2, 1, 0], [2, 0, 1]], "int64");

/** Upstream's own rules, place by place: the first that is not below both bounds, or the last. */
function expected(topP: number, topK: number, u: number, row: number): number {
  const prob = [0, 1, 2].map((j) => Number(getElement(sorted, row * 3 + j)));
  const sums = prob.map((_, j) => prob.slice(0, j + 1).reduce((a, b) => Math.fround(a + b), 0));
  const enough = sums.findIndex((s, j) => !(s < Math.fround(topP) && j + 1 < topK));
  const whole = sums[enough === -1 ? 2 : enough] ?? 1;
  const place = sums.findIndex((s) => u < s / whole);
  return Number(getElement(places, row * 3 + (place === -1 ? 2 : place)));
}

it.each([
  [0.6, 3, 0.5],
  [0.9, 3, 0.6],
  [0.3, 3, 0.99],
  [1, 1, 0.99],
  [1, 2, 0.7],
  [1, 3, 0.05],
  [1, 3, 0.995],
])("samples with topP %d, topK %d fall where %d says", (topP, topK, u) => {
  const bounds = [matrix([[topP], [topP]]), matrix([[topK], [topK]], "int64")];
  const own = computed([sorted, places, ...bounds, matrix([[u], [u]])], (p, i, tp, tk, s) => sampleTopPTopKFromSortedProb(p!, i!, tp!, tk!, s!));
  expect(own).toEqual([expected(topP, topK, u, 0), expected(topP, topK, u, 1)]);
});

it("samples say which row they are of", () => {
  const args = [sorted, places, matrix([[1], [1]]), matrix([[3], [3]], "int64"), matrix([[0.1], [0.9], [0.45]]), matrix([[1], [1], [0]], "int64")];
  expect(computed(args, (p, i, tp, tk, s, rows) => sampleTopPTopKFromSortedProb(p!, i!, tp!, tk!, s!, rows))).toEqual([expected(1, 3, 0.1, 1), expected(1, 3, 0.9, 1), expected(1, 3, 0.45, 0)]);
});

it("what is left out has no probability, and the rest sums to 1", () => {
  const prob = matrix([[0.1, 0.4, 0.5], [0.3, 0.3, 0.4]]);
  const out = computed([prob, sorted, matrix([[0.6], [0.3]]), matrix([[3], [3]], "int64")], (p, s, tp, tk) => renormalizeTopPTopKProb(p!, s!, tp!, tk!));
  expect(out.map((v) => Number(v.toFixed(5)))).toEqual([0, 0.44444, 0.55556, 0, 0, 1]);
});

it("a sample of a row without sorting falls where the sums say", () => {
  const prob = matrix([[0.2, 0.3, 0.5], [0.3, 0.4, 0.3]]);
  expect(computed([prob, matrix([[0.4], [0.9]])], (p, s) => multinomialFromUniform(p!, s!))).toEqual([1, 2]);
});

it("as many samples as rows are wanted where nobody says which", () => {
  expect(() => computed([sorted, matrix([[0.4]])], (p, s) => multinomialFromUniform(p!, s!))).toThrow("There are not as many samples as rows of probabilities");
});
