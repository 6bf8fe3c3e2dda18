import { defaultWasmTarget } from "@verticil/ir-core";
import { elementCount, getElement, tensorFrom, zeros, type Tensor } from "@verticil/runtime-ffi";
import { binaryOps, compute, createPrimFunc, matmul, placeholder, reduceAxis, sum, type Tensor as TeTensor } from "@verticil/te";
import { add, asInt, cast, constant, interpretPrimFunc, mul, visitStmt, type PrimFunc } from "@verticil/tir";
import { expect, test } from "vitest";
import { gemv } from "./gemv.ts";

function evaluate(func: PrimFunc): readonly number[] {
  const args = func.params.map((p, i): Tensor => {
    const buffer = func.bufferMap.get(p);
    const shape = (buffer?.shape ?? []).map((d) => asInt(d) ?? 0);
    if (i === func.params.length - 1) return zeros("float32", shape);
    return tensorFrom(Array.from({ length: elementCount(shape) }, (_, k) => ((k * 7 + i * 13) % 11) - 5), shape, buffer?.dtype === "int8" ? "int8" : "float32");
  });
  interpretPrimFunc(func, args);
  const out = args[args.length - 1]!;
  return Array.from({ length: elementCount(out.shape) }, (_, i) => Number(getElement(out, i)));
}

function kinds(func: PrimFunc): ReadonlySet<string> {
  const out = new Set<string>();
  visitStmt(func.body, { stmt: (s) => void (s.kind === "tir.For" && out.add(s.forKind)) });
  return out;
}

function expectScheduled(...args: readonly TeTensor[]): void {
  const func = createPrimFunc(args);
  const scheduled = gemv.apply(func, defaultWasmTarget);
  expect(scheduled).toBeDefined();
  expect(kinds(scheduled!)).toContain("vectorized");
  expect(evaluate(scheduled!)).toEqual(evaluate(func));
}

/** `x · Wᵀ` with W `[rows, 64]` quantized in groups of 32. */
function product(rows: number, tokens = 1): { readonly args: readonly TeTensor[]; readonly y: TeTensor } {
  const [x, q, s] = [placeholder([tokens, 64], "float32", "x"), placeholder([rows, 64], "int8", "q"), placeholder([rows, 2], "float32", "s")];
  const [outer, inner] = [reduceAxis(2, "kg"), reduceAxis(32, "kk")];
  const zero = constant(0, "int64");
  const y = compute([tokens, rows], (i = zero, o = zero) => {
    const k = add(mul(outer.var, constant(32, "int64")), inner.var);
    return sum(mul(x.at(i, k), mul(cast("float32", q.at(o, k)), s.at(o, outer.var))), [outer, inner]);
  });
  return { args: [x, q, s], y };
}

test.each([96, 6, 5])("%i rows of quantized weights", (rows) => {
  const { args, y } = product(rows);
  expectScheduled(...args, y);
});

test("an epilogue is computed on the sums", () => {
  const { args, y } = product(12);
  const r = placeholder([1, 12], "float32", "r");
  expectScheduled(...args, r, binaryOps["add"]!(y, r));
});

test("rows of floats", () => {
  const [x, w, k] = [placeholder([1, 16], "float32", "x"), placeholder([8, 16], "float32", "w"), reduceAxis(16, "k")];
  const zero = constant(0, "int64");
  expectScheduled(x, w, compute([1, 8], (i = zero, o = zero) => sum(mul(x.at(i, k.var), w.at(o, k.var)), k)));
});

test("several vectors, columns in place of rows, and what is no product are not its own", () => {
  const { args, y } = product(8, 3);
  expect(gemv.apply(createPrimFunc([...args, y]), defaultWasmTarget)).toBeUndefined();
  const [x, w] = [placeholder([1, 16], "float32", "x"), placeholder([16, 8], "float32", "w")];
  expect(gemv.apply(createPrimFunc([x, w, matmul(x, w)]), defaultWasmTarget)).toBeUndefined();
  expect(gemv.apply(createPrimFunc([x, compute([1, 16], (...i) => x.at(...i))]), defaultWasmTarget)).toBeUndefined();
});
