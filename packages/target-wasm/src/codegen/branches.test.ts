import { at, defaultWasmTarget } from "@verticil/ir-core";
import { tensor, zeros } from "@verticil/runtime-ffi";
import { add, ifThenElse, lt, toExpr, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { expect, test } from "vitest";
import { buildWasm } from "../build-wasm.ts";
import { elementwise } from "../testing/elementwise.ts";
import { moduleOfFunc, runFunc } from "../testing/run-wasm.ts";

/** A sum as deep as the logarithm of its terms. */
function sum(terms: readonly PrimExpr[]): PrimExpr {
  if (terms.length === 1) return at(terms, 0);
  const middle = terms.length >> 1;
  return add(sum(terms.slice(0, middle)), sum(terms.slice(middle)));
}

/** Of each of four numbers, the sum of what is less of it and each limit, by branches. */
function sumOfLess(limits: readonly number[]): PrimFunc {
  return elementwise(["float32"], 4, 1, (...xs) => {
    const x = at(xs, 0);
    return sum(limits.map((k) => ifThenElse(lt(x, toExpr(k, "float32")), x, toExpr(k, "float32"))));
  });
}

test("each branch gives the value of its own side", () => {
  const limits = Array.from({ length: 100 }, (_, k) => k % 64);
  const [inputs, out] = [[0, 1, 32, 100], zeros("float32", [4])];
  runFunc(sumOfLess(limits), [tensor(Float32Array.from(inputs), [4], "float32"), out]);
  expect([...out.data]).toEqual(inputs.map((x) => limits.reduce((s, k) => s + Math.min(x, k), 0)));
});

test("code of many thousand branches is written in time that does not grow with their square", { timeout: 20_000 }, () => {
  const func = sumOfLess(Array.from({ length: 30_000 }, (_, k) => k % 64));
  const { bytes } = buildWasm(moduleOfFunc(func), { ...defaultWasmTarget, simd: "128" }, {});
  expect(bytes.length).toBeGreaterThan(30_000);
});
